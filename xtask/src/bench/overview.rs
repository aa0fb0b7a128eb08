//! What the document's tables come to, read from the tables themselves: it cannot say anything else than they do.

use std::fmt::Write as _;

use super::contender::OWN;
use super::table::section;

/// Where it stands in the document.
pub(super) const NAME: &str = "overview";

/// The sections whose tables compare times.
const SECTIONS: [&str; 4] = ["archive", "loopback", "link", "tls"];

/// Within this factor nobody is behind: two runs of one tool differ by more.
const EQUAL: f64 = 1.05;

/// One tool's time, and how far its runs are apart.
#[derive(Debug, Clone, PartialEq)]
struct Time {
    tool: String,
    seconds: f64,
    /// To the best of the others, as the table says; not of the seconds, which are rounded.
    ratio: f64,
    runs: Option<(f64, f64)>,
}

/// Own time and that of the best other tool.
#[derive(Debug, PartialEq)]
struct Pair {
    own: Time,
    best: Time,
}

/// One table.
#[derive(Debug, PartialEq)]
struct Row {
    /// What is pushed where.
    title: String,
    new: Pair,
    unchanged: Pair,
}

/// The overview of a document: sentences and a table.
pub(super) fn of(document: &str) -> String {
    let rows: Vec<Row> = SECTIONS
        .iter()
        .filter_map(|name| section(document, name))
        .flat_map(tables)
        .collect();
    let pairs = |of: fn(&Row) -> &Pair, what: &str| -> Vec<(String, f64)> {
        rows.iter()
            .map(|row| (format!("{}{what}", row.title), of(row).ratio()))
            .collect()
    };
    let mut all = pairs(|row| &row.new, "");
    all.extend(pairs(|row| &row.unchanged, ", unchanged"));
    let mut text = String::new();
    let groups = [
        ("Behind the best other tool", EQUAL..f64::INFINITY),
        ("Within 5 % of it", 1.0 / EQUAL..EQUAL),
        ("Ahead of it", 0.0..1.0 / EQUAL),
    ];
    for (name, ratios) in groups {
        let mut members: Vec<&(String, f64)> = all
            .iter()
            .filter(|(_, ratio)| ratios.contains(ratio))
            .collect();
        members.sort_by(|(_, one), (_, other)| other.total_cmp(one));
        let members: Vec<String> = members
            .into_iter()
            .map(|(title, ratio)| format!("{title} ({ratio:.2})"))
            .collect();
        let members = if members.is_empty() {
            "nowhere".to_owned()
        } else {
            members.join("; ")
        };
        // Writing to a string does not fail.
        let _ = writeln!(text, "* **{name}**: {members}.");
    }
    text.push_str(
        "\n| image, place | ghcr-push | best other | ratio | unchanged: ghcr-push | best other | ratio |\n\
         |---|---|---|---|---|---|---|",
    );
    for row in &rows {
        let _ = write!(
            text,
            "\n| {} | {} | {} |",
            row.title,
            row.new.cells(),
            row.unchanged.cells()
        );
    }
    text
}

impl Pair {
    fn ratio(&self) -> f64 {
        self.own.ratio
    }

    /// Whether some run of each was faster than some run of the other.
    fn overlaps(&self) -> bool {
        let (Some(own), Some(best)) = (self.own.runs, self.best.runs) else {
            return false;
        };
        own.0 <= best.1 && best.0 <= own.1
    }

    fn cells(&self) -> String {
        let overlap = if self.overlaps() {
            " (runs overlap)"
        } else {
            ""
        };
        format!(
            "{} s | {} s ({}) | {:.2}{overlap}",
            self.own.seconds,
            self.best.seconds,
            self.best.tool,
            self.ratio()
        )
    }
}

/// All tables of a section: each follows a line with its title.
fn tables(section: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut title = None;
    let (mut new, mut unchanged) = (Vec::new(), Vec::new());
    for line in section.lines().chain(["**"]) {
        if let Some(rest) = line.strip_prefix("**") {
            let next = rest
                .rsplit_once(", ")
                .map(|(title, _)| title.replace("**", ""));
            let done = title.take().zip(pair(&new)).zip(pair(&unchanged));
            rows.extend(done.map(|((title, new), unchanged)| Row {
                title,
                new,
                unchanged,
            }));
            new.clear();
            unchanged.clear();
            title = next;
        } else if let Some((cold, warm)) = times(line) {
            new.push(cold);
            unchanged.push(warm);
        }
    }
    rows
}

/// The times in a line of a table, `None` if it has none.
fn times(line: &str) -> Option<(Time, Time)> {
    let cells: Vec<&str> = line.split('|').map(str::trim).collect();
    let [_, tool, new, ratio, _, _, _, unchanged, ratio_unchanged, ..] = cells[..] else {
        return None;
    };
    let (seconds, runs) = new.split_once(" s (")?;
    let runs: Vec<f64> = runs
        .trim_end_matches(')')
        .split(' ')
        .map_while(|run| run.parse().ok())
        .collect();
    let time = |seconds: &str, ratio: &str, runs| {
        Some(Time {
            tool: tool.to_owned(),
            seconds: seconds.parse().ok()?,
            ratio: ratio.parse().ok()?,
            runs,
        })
    };
    let runs = runs.first().copied().zip(runs.last().copied());
    Some((
        time(seconds, ratio, runs)?,
        time(unchanged.strip_suffix(" s")?, ratio_unchanged, None)?,
    ))
}

/// The tool with its defaults, and the best of the others.
fn pair(times: &[Time]) -> Option<Pair> {
    let own = times.iter().find(|time| time.tool == OWN)?.clone();
    let best = times
        .iter()
        .filter(|time| !time.tool.starts_with(OWN))
        .min_by(|one, other| one.seconds.total_cmp(&other.seconds))?
        .clone();
    Some(Pair { own, best })
}

#[cfg(test)]
mod tests {
    use super::{NAME, of};
    use crate::bench::table::{read, section};

    const DOCUMENT: &str = "\
<!-- bench loopback -->

**typical**, loopback, 5 rounds:

| tool | new image: wall (all runs) | x best other | CPU | memory | requests | unchanged: wall | x best other | requests |
|---|---|---|---|---|---|---|---|---|
| ghcr-push | 1.10 s (1.00 1.20) | 1.10 | 0.28 s | 15 MiB | 43 | 0.010 s | 0.50 | 1 |
| ghcr-push, zstd | 0.10 s (0.10 0.20) | 0.10 | 0.28 s | 15 MiB | 43 | 0.010 s | 0.50 | 1 |
| crane | 1.00 s (0.90 1.05) | 1.00 | 0.04 s | 13 MiB | 55 | 0.020 s | 1.00 | 2 |
| podman | not measured: it stores one platform of an index |

<!-- end -->
<!-- bench link -->
<!-- end -->
";

    #[test]
    fn it_says_what_the_tables_say() {
        let overview = of(DOCUMENT);
        let expected = "\
* **Behind the best other tool**: typical, loopback (1.10).
* **Within 5 % of it**: nowhere.
* **Ahead of it**: typical, loopback, unchanged (0.50).

| image, place | ghcr-push | best other | ratio | unchanged: ghcr-push | best other | ratio |
|---|---|---|---|---|---|---|
| typical, loopback | 1.1 s | 1 s (crane) | 1.10 (runs overlap) | 0.01 s | 0.02 s (crane) | 0.50 |";
        assert_eq!(overview, expected);
    }

    #[test]
    fn the_document_agrees_with_its_tables() {
        let document = read().expect("the document is there");
        let written = section(&document, NAME).expect("it has an overview");
        assert_eq!(written.trim(), of(&document));
    }
}
