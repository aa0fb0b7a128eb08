//! `cargo xtask bench`: what a push costs, beside the other tools that are on PATH.
//!
//! Every tool pushes the same image into a fresh Distribution, in turns, so that what else the machine does falls on all
//! of them, and then pushes it again. What counts is the ratio; the tables say the machine's times as well.

mod contender;
mod cost;
mod hashing;
mod image;
#[cfg(target_os = "linux")]
mod link;
mod machine;
mod options;
mod overview;
mod peers;
mod pipe;
mod place;
mod registry;
mod requests;
mod save;
mod table;

use contender::{Contender, TIME, Target, Variants, contenders, other_build};
use cost::{Cost, Series, median};
use image::Image;
use options::{Options, Section};
use place::{LINKS, Place};
use registry::{Authority, Registry};

use crate::run::{cargo, have, say, succeed};

/// One table: what is pushed where.
struct Scenario {
    section: Section,
    image: &'static str,
    /// A position in `LINKS`, `None` for loopback.
    link: Option<usize>,
    variants: Variants,
}

/// A contender that takes so many times what the best of the others takes is not measured again: the best decide, and
/// the slow ones would take most of the time.
const HOPELESS: f64 = 3.0;

/// What the registry that everything but the requests is measured with is called.
const REGISTRY: &str = "docker-registry";

/// Measures and prints what the arguments ask for.
pub(crate) fn bench(arguments: &[String]) -> Result<(), String> {
    let options = Options::parse(arguments)?;
    succeed(&mut cargo(&[
        "build",
        "--release",
        "--quiet",
        "--package",
        "ghcr-push",
    ]))?;
    if !have(TIME) {
        say("GNU time is not on PATH: processor time and memory are left out");
    }
    let before = machine::load();
    let mut tools: Vec<String> = contenders(Variants::None)
        .iter()
        .map(|contender| format!("* {}: {}", contender.name, contender.version()))
        .collect();
    say(&tools.join("\n"));
    for section in Section::ALL {
        if !options.wants_section(section) {
            continue;
        }
        let text = match section {
            Section::Requests => requests::table(&Image::make("typical", 0)?)?,
            Section::Hashing => hashing::table()?,
            _ if !have(REGISTRY) => {
                let name = section.name();
                say(&format!(
                    "{name} is skipped: {REGISTRY} is not on PATH (Debian's package of that name)"
                ));
                continue;
            }
            _ => measure(section, &options)?,
        };
        if matches!(section, Section::Requests | Section::Hashing) {
            say(&format!("\n{text}"));
        }
        if options.write && !text.is_empty() {
            let document = table::read()?;
            let has_titles = !matches!(section, Section::Requests | Section::Hashing);
            let text = match table::section(&document, section.name()) {
                Some(old) if has_titles && !options.is_whole() => table::merged(old, &text),
                _ => text,
            };
            table::write(section.name(), &text)?;
        }
    }
    tools.push(machine::describe(before.as_deref()));
    if options.write {
        if options.is_whole() {
            table::write("tools", &tools.join("\n"))?;
        }
        let overview = overview::of(&table::read()?);
        say(&format!("\n{overview}"));
        table::write(overview::NAME, &overview)?;
    }
    Ok(())
}

/// All tables of a section.
fn measure(section: Section, options: &Options) -> Result<String, String> {
    let mut tables = Vec::new();
    for scenario in scenarios(section) {
        if !options.wants_image(scenario.image) || !options.wants_link(scenario.link) {
            continue;
        }
        if scenario.link.is_some()
            && let Some(obstacle) = Place::obstacle()
        {
            say(&format!("the shaped link is skipped: {obstacle}"));
            continue;
        }
        let title = scenario.title(options);
        say(&format!("\n{title}"));
        let table = scenario.run(options)?;
        say(&format!("\n{table}"));
        tables.push(format!("{title}\n\n{table}"));
    }
    Ok(tables.join("\n\n"))
}

/// What is measured, in the order of the document.
fn scenarios(section: Section) -> Vec<Scenario> {
    let plain = |image, link| Scenario {
        section,
        image,
        link,
        variants: Variants::None,
    };
    match section {
        Section::Requests | Section::Hashing => Vec::new(),
        Section::Archive => vec![Scenario {
            variants: Variants::Compression,
            ..plain("save", None)
        }],
        Section::Loopback => ["typical", "manysmall", "onebig", "index"]
            .map(|image| plain(image, None))
            .into(),
        Section::Link => {
            // What takes a minute for each tool is measured with an image that is a quarter as large.
            let images = [
                &["typical", "manysmall", "index"][..],
                &["quarter", "manysmall"],
                &["quarter", "manysmall"],
            ];
            let pairs = images.into_iter().enumerate();
            pairs
                .flat_map(|(link, images)| images.iter().map(move |image| plain(image, Some(link))))
                .collect()
        }
        Section::Tls => vec![
            plain("typical", None),
            plain("typical", Some(0)),
            plain("manysmall", Some(0)),
        ],
    }
}

impl Scenario {
    fn title(&self, options: &Options) -> String {
        let place = self.link.map_or("loopback", |link| LINKS[link].0);
        let tls = if self.section == Section::Tls {
            ", TLS"
        } else {
            ""
        };
        let rounds = match self.rounds(options) {
            1 => "one round".to_owned(),
            rounds => format!("{rounds} rounds"),
        };
        format!("**{}**, {place}{tls}, {rounds}:", self.image)
    }

    /// What takes a second is measured more often than what takes a minute, and most often what luck decides: which of
    /// a large layer's packets are lost makes one run three times as long as another.
    fn rounds(&self, options: &Options) -> usize {
        let is_lossy = self.link.is_some_and(|link| LINKS[link].1.is_lossy());
        let usual = match (self.image, self.link) {
            ("quarter", Some(_)) if is_lossy => 9,
            ("onebig" | "save", _) | ("manysmall" | "index" | "quarter", Some(_)) => 3,
            _ => 5,
        };
        options.rounds.unwrap_or(usual)
    }

    fn run(&self, options: &Options) -> Result<String, String> {
        let image = Image::make(self.image, options.big)?;
        let place = match self.link {
            None => Place::Loopback,
            Some(link) => Place::link(LINKS[link].1)?,
        };
        let authority = (self.section == Section::Tls)
            .then(Authority::new)
            .transpose()?;
        let mut all = contenders(self.variants);
        if let Some(program) = &options.against {
            all.insert(1, other_build(program));
        }
        let all: Vec<&Contender> = all
            .iter()
            .filter(|contender| contender.takes(&image) && options.wants_tool(contender.name))
            .collect();
        let is_near = self.link.is_none() && authority.is_none();
        let mut series: Vec<Series> = all
            .iter()
            .map(|contender| Series {
                failure: contender
                    .excuse(self.image, is_near)
                    .map(|excuse| format!("not measured: {excuse}")),
                ..Series::default()
            })
            .collect();
        for round in 0..self.rounds(options) {
            let best = best_of_others(&all, &series);
            for turn in 0..all.len() {
                // Not always in the same order: who follows whom must not matter.
                let position = if round % 2 == 0 {
                    turn
                } else {
                    all.len() - 1 - turn
                };
                let series = &mut series[position];
                let is_hopeless = !all[position].is_own()
                    && best.is_some_and(|best| {
                        median(&series.cold, |cost| cost.wall) > best * HOPELESS
                    });
                if series.failure.is_none()
                    && !is_hopeless
                    && let Err(failure) =
                        push(all[position], &image, &place, authority.as_ref(), series)
                {
                    say(&failure);
                    series.failure = Some(failure);
                }
            }
        }
        Ok(table::table(&all, &series, self.image == "save"))
    }
}

/// The best time of the other tools so far.
fn best_of_others(all: &[&Contender], series: &[Series]) -> Option<f64> {
    all.iter()
        .zip(series)
        .filter(|(contender, series)| !contender.is_own() && !series.cold.is_empty())
        .map(|(_, series)| median(&series.cold, |cost| cost.wall))
        .min_by(f64::total_cmp)
}

/// Pushes twice into a fresh registry.
fn push(
    contender: &Contender,
    image: &Image,
    place: &Place,
    authority: Option<&Authority>,
    series: &mut Series,
) -> Result<(), String> {
    let registry = Registry::start(place, authority)?;
    let home = tempfile::Builder::new()
        .tempdir_in(image::scratch())
        .map_err(|error| error.to_string())?;
    let certificate = authority.map(Authority::certificate);
    let target = Target {
        host: registry.host(),
        tag: "1",
        home: home.path(),
        certificate: certificate.as_deref(),
    };
    let cold = Cost::measure(contender, image, &target, place, &registry)?;
    series.stored = registry.stored();
    let warm = Cost::measure(contender, image, &target, place, &registry)?;
    say(&format!(
        "  {:<28} {:>8.3} s {:>7.2} s CPU {:>5} requests, again {:>8.3} s {:>4} requests",
        contender.name,
        cold.wall,
        cold.usage.map_or(f64::NAN, |usage| usage.processor),
        cold.requests,
        warm.wall,
        warm.requests
    ));
    series.cold.push(cold);
    series.warm.push(warm);
    Ok(())
}
