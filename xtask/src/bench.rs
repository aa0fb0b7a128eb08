//! `cargo xtask bench`: what a push costs, beside the other tools that are on PATH.
//!
//! Every tool pushes the same image into a fresh Distribution, in turns, so that what else the machine does falls on all
//! of them, and then pushes it again. What counts is the ratio; the tables say the machine's times as well.

mod contender;
mod cost;
mod image;
#[cfg(target_os = "linux")]
mod link;
mod options;
mod pipe;
mod place;
mod registry;
mod requests;
mod save;
mod table;

use contender::{Contender, Target, Variants, contenders};
use cost::{Cost, Series};
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

/// Measures and prints what the arguments ask for.
pub(crate) fn bench(arguments: &[String]) -> Result<(), String> {
    let options = Options::parse(arguments)?;
    for program in ["docker-registry", "time"] {
        if !have(program) {
            return Err(format!("{program} is needed to measure"));
        }
    }
    succeed(&mut cargo(&[
        "build",
        "--release",
        "--quiet",
        "--package",
        "ghcr-push",
    ]))?;
    let versions: Vec<String> = contenders(Variants::None)
        .iter()
        .map(|contender| format!("* {}: {}", contender.name, contender.version()))
        .collect();
    say(&versions.join("\n"));
    for section in Section::ALL {
        if !options.wants_section(section) {
            continue;
        }
        let text = if section == Section::Requests {
            requests::table(&Image::make("typical", 0)?)?
        } else {
            measure(section, &options)?
        };
        if section == Section::Requests {
            say(&format!("\n{text}"));
        }
        if options.write && !text.is_empty() {
            table::write(section.name(), &text)?;
        }
    }
    if options.write {
        table::write("tools", &versions.join("\n"))?;
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
        Section::Requests => Vec::new(),
        Section::Archive => vec![Scenario {
            variants: Variants::Compression,
            ..plain("save", None)
        }],
        Section::Loopback => ["typical", "manysmall", "onebig", "index"]
            .map(|image| plain(image, None))
            .into(),
        Section::Link => {
            let images = [
                &["typical", "manysmall", "index"][..],
                &["typical", "manysmall"],
                &["typical", "manysmall"],
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
        let rounds = match options.rounds {
            1 => "one round".to_owned(),
            rounds => format!("{rounds} rounds"),
        };
        format!("**{}**, {place}{tls}, {rounds}:", self.image)
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
        let all = contenders(self.variants);
        let all: Vec<&Contender> = all
            .iter()
            .filter(|contender| contender.takes(&image) && options.wants_tool(contender.name))
            .collect();
        let mut series: Vec<Series> = all.iter().map(|_| Series::default()).collect();
        for round in 0..options.rounds {
            for turn in 0..all.len() {
                // Not always in the same order: who follows whom must not matter.
                let position = if round % 2 == 0 {
                    turn
                } else {
                    all.len() - 1 - turn
                };
                let series = &mut series[position];
                if series.failure.is_none()
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
        contender.name, cold.wall, cold.processor, cold.requests, warm.wall, warm.requests
    ));
    series.cold.push(cold);
    series.warm.push(warm);
    Ok(())
}
