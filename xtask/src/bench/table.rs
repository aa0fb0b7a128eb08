//! Tables in Markdown, and where they go in `docs/benchmarks.md`.

use std::fs;

use super::contender::Contender;
use super::cost::{Cost, Series, Usage, median, middle};
use crate::run::root;

/// Where the tables go.
const DOCUMENT: &str = "docs/benchmarks.md";

/// The table of one image in one place.
pub(super) fn table(contenders: &[&Contender], series: &[Series], with_size: bool) -> String {
    let best = |costs: fn(&Series) -> &Vec<Cost>| {
        contenders
            .iter()
            .zip(series)
            .filter(|(contender, series)| !contender.is_own() && !costs(series).is_empty())
            .map(|(_, series)| median(costs(series), |cost| cost.wall))
            .min_by(f64::total_cmp)
    };
    let (best_cold, best_warm) = (best(|series| &series.cold), best(|series| &series.warm));
    let mut lines = vec![
        "| tool | new image: wall (all runs) | x best other | CPU | memory | requests | unchanged: wall | x best other | requests |"
            .to_owned(),
        "|---|---|---|---|---|---|---|---|---|".to_owned(),
    ];
    if with_size {
        lines[0] += " stored |";
        lines[1] += "---|";
    }
    for (contender, series) in contenders.iter().zip(series) {
        if let Some(failure) = &series.failure {
            let last = failure.lines().last().unwrap_or_default();
            lines.push(format!(
                "| {} | {} |",
                contender.name,
                last.replace('|', "\\|")
            ));
            continue;
        }
        let mut line = format!(
            "| {} | {} | {} | {} | {:.0} | {} | {:.0} |",
            contender.name,
            walls(&series.cold, best_cold),
            processor(&series.cold),
            memory(&series.cold),
            median(&series.cold, requests),
            short(&series.warm, best_warm),
            median(&series.warm, requests),
        );
        if with_size {
            let size = format!(" {} MiB |", series.stored >> 20);
            line.push_str(&size);
        }
        lines.push(line);
    }
    lines.join("\n")
}

#[expect(clippy::cast_precision_loss, reason = "a count for a table")]
fn requests(cost: &Cost) -> f64 {
    cost.requests as f64
}

/// What nobody measured.
const UNKNOWN: &str = "-";

fn usages(costs: &[Cost], of: fn(&Usage) -> f64) -> Option<Vec<f64>> {
    costs
        .iter()
        .map(|cost| cost.usage.as_ref().map(of))
        .collect()
}

fn processor(costs: &[Cost]) -> String {
    let Some(seconds) = usages(costs, |usage| usage.processor) else {
        return UNKNOWN.to_owned();
    };
    format!("{:.2} s", middle(seconds))
}

fn memory(costs: &[Cost]) -> String {
    let Some(mebibytes) = usages(costs, |usage| usage.mebibytes) else {
        return UNKNOWN.to_owned();
    };
    format!("{:.0} MiB", mebibytes.into_iter().fold(0.0, f64::max))
}

/// Median, all, and the ratio to the best of the others.
fn walls(costs: &[Cost], best: Option<f64>) -> String {
    let mut all: Vec<f64> = costs.iter().map(|cost| cost.wall).collect();
    all.sort_by(f64::total_cmp);
    let all: Vec<String> = all.into_iter().map(seconds).collect();
    let wall = median(costs, |cost| cost.wall);
    format!(
        "{} s ({}) | {}",
        seconds(wall),
        all.join(" "),
        ratio(wall, best)
    )
}

fn short(costs: &[Cost], best: Option<f64>) -> String {
    let wall = median(costs, |cost| cost.wall);
    format!("{} s | {}", seconds(wall), ratio(wall, best))
}

fn ratio(wall: f64, best: Option<f64>) -> String {
    best.map_or("-".to_owned(), |best| format!("{:.2}", wall / best))
}

/// Three significant digits are all that such times have.
fn seconds(wall: f64) -> String {
    match wall {
        wall if wall < 1.0 => format!("{wall:.3}"),
        wall if wall < 10.0 => format!("{wall:.2}"),
        wall => format!("{wall:.1}"),
    }
}

/// The document as it is.
pub(super) fn read() -> Result<String, String> {
    fs::read_to_string(root().join(DOCUMENT)).map_err(|error| format!("{DOCUMENT}: {error}"))
}

/// What stands between a section's marks.
pub(super) fn section<'a>(document: &'a str, section: &str) -> Option<&'a str> {
    let begin = format!("<!-- bench {section} -->\n");
    let (_, rest) = document.split_once(&begin)?;
    rest.split_once("<!-- end -->").map(|(text, _)| text)
}

/// Puts text into the document, between a section's marks.
pub(super) fn write(section: &str, text: &str) -> Result<(), String> {
    let path = root().join(DOCUMENT);
    let document = read()?;
    let replaced = replace(&document, section, text)
        .ok_or_else(|| format!("{DOCUMENT} has no place for {section}"))?;
    fs::write(&path, replaced).map_err(|error| format!("{DOCUMENT}: {error}"))
}

/// A section's tables with the new ones in the place of those of the same image and place. The others stay: measuring
/// a part takes nothing away.
pub(super) fn merged(old: &str, new: &str) -> String {
    let mut new = blocks(new);
    let mut merged: Vec<&str> = Vec::new();
    for block in blocks(old) {
        let position = new
            .iter()
            .position(|other| subject(other) == subject(block));
        merged.push(position.map_or(block, |position| new.remove(position)));
    }
    merged.extend(new);
    merged.join("\n\n")
}

/// The titled tables in a text.
fn blocks(text: &str) -> Vec<&str> {
    let starts = text.match_indices("**").map(|(at, _)| at);
    let mut starts: Vec<usize> = starts
        .filter(|at| *at == 0 || text[..*at].ends_with('\n'))
        .collect();
    starts.push(text.len());
    let spans = starts.windows(2).map(|span| &text[span[0]..span[1]]);
    spans.map(str::trim_end).collect()
}

/// What a table is of: its title without the number of rounds.
fn subject(block: &str) -> &str {
    let title = block.lines().next().unwrap_or_default();
    title
        .rsplit_once(", ")
        .map_or(title, |(subject, _)| subject)
}

fn replace(document: &str, section: &str, text: &str) -> Option<String> {
    let begin = format!("<!-- bench {section} -->\n");
    let start = document.find(&begin)? + begin.len();
    let end = start + document[start..].find("<!-- end -->")?;
    let (before, after) = (&document[..start], &document[end..]);
    Some(format!("{before}\n{}\n\n{after}", text.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::{merged, replace, seconds};

    #[test]
    fn a_section_is_replaced_and_nothing_else() {
        let document = "a\n<!-- bench x -->\nold\n<!-- end -->\n<!-- bench y -->\n<!-- end -->\n";
        let expected =
            "a\n<!-- bench x -->\n\nnew\n\n<!-- end -->\n<!-- bench y -->\n<!-- end -->\n";
        assert_eq!(replace(document, "x", "new\n").as_deref(), Some(expected));
        assert_eq!(replace(document, "z", "new"), None);
    }

    #[test]
    fn a_part_replaces_a_part() {
        let old = "\n**a**, loopback, 3 rounds:\n\n| old a |\n\n**b**, 40 ms, 0.05 % lost, one round:\n\n| old b |\n\n";
        let new_b = "**b**, 40 ms, 0.05 % lost, 9 rounds:\n\n| new b |";
        let new_c = "**b**, 40 ms, 3 rounds:\n\n| new c |";
        assert_eq!(
            merged(old, &format!("{new_b}\n\n{new_c}")),
            format!("**a**, loopback, 3 rounds:\n\n| old a |\n\n{new_b}\n\n{new_c}")
        );
        assert_eq!(merged("", new_b), new_b);
    }

    #[test]
    fn times_have_three_digits() {
        let times = [0.0123, 0.4567, 2.345, 34.56].map(seconds);
        assert_eq!(times, ["0.012", "0.457", "2.35", "34.6"]);
    }
}
