//! What of the benchmark is asked for.

use std::path::PathBuf;

use super::image;
use super::place::LINKS;

/// How it is called.
const USAGE: &str = "\
cargo xtask bench [requests] [archive] [loopback] [link] [tls] [hashing]
                  [--rounds N] [--only IMAGE,...] [--tools TOOL,...] [--links 1,2,3] [--big MIB] [--against PROGRAM]
                  [--write]

--rounds   how often each tool pushes; without it, three to nine times
--only     the images to push, of typical, quarter, manysmall, onebig, save and index
--tools    the tools to compare, by the beginnings of their names
--links    the links to measure over, by number
--big      the size of the one big layer
--against  another build of ghcr-push to compare with
--write    put the tables, and what follows from them, into docs/benchmarks.md, where others stay as they are;
           not with --tools and --against";

/// A part of the benchmark, with a place of its own in the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    /// Requests of one push, counted.
    Requests,
    /// A docker-save archive, whose layers have to be compressed.
    Archive,
    /// Layers as they are, client and registry on one machine.
    Loopback,
    /// The same over slow links.
    Link,
    /// Some of both over TLS.
    Tls,
    /// SHA-256 alone.
    Hashing,
}

impl Section {
    /// In the order of the document.
    pub(super) const ALL: [Self; 6] = [
        Self::Requests,
        Self::Archive,
        Self::Loopback,
        Self::Link,
        Self::Tls,
        Self::Hashing,
    ];

    /// As it stands on the command line and in the document's marks.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Archive => "archive",
            Self::Loopback => "loopback",
            Self::Link => "link",
            Self::Tls => "tls",
            Self::Hashing => "hashing",
        }
    }
}

/// What is asked for; nothing said of something means all of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Options {
    sections: Vec<Section>,
    images: Vec<String>,
    tools: Vec<String>,
    links: Vec<usize>,
    /// `None` for what suits each image and place.
    pub(super) rounds: Option<usize>,
    /// Another build of ghcr-push.
    pub(super) against: Option<PathBuf>,
    /// The size of the one big layer in mebibytes.
    pub(super) big: u64,
    pub(super) write: bool,
}

impl Options {
    /// Reads the command line.
    pub(super) fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut options = Self {
            sections: Vec::new(),
            images: Vec::new(),
            tools: Vec::new(),
            links: Vec::new(),
            rounds: None,
            against: None,
            big: 2048,
            write: false,
        };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let section = Section::ALL
                .into_iter()
                .find(|section| section.name() == argument);
            if let Some(section) = section {
                options.sections.push(section);
                continue;
            }
            if argument == "--write" {
                options.write = true;
                continue;
            }
            let value = arguments.next().ok_or(USAGE)?;
            let words = value.split(',').map(str::to_owned).collect();
            match argument.as_str() {
                "--rounds" => options.rounds = Some(number(value)?),
                "--big" => options.big = number(value)?,
                "--against" => options.against = Some(value.into()),
                "--only" => options.images = words,
                "--tools" => options.tools = words,
                "--links" => {
                    let numbers = words.iter().map(|word| number(word));
                    options.links = numbers.collect::<Result<_, _>>()?;
                }
                _ => return Err(USAGE.to_owned()),
            }
        }
        options.check()?;
        Ok(options)
    }

    fn check(&self) -> Result<(), String> {
        let known = |name: &String| image::NAMES.iter().any(|(known, _)| known == name);
        let links_exist = self
            .links
            .iter()
            .all(|link| (1..=LINKS.len()).contains(link));
        // A table that some tools are missing from is none for the document.
        let is_for_document = self.tools.is_empty() && self.against.is_none();
        let can_be_written = !self.write || is_for_document;
        if self.rounds != Some(0) && self.images.iter().all(known) && links_exist && can_be_written
        {
            return Ok(());
        }
        Err(USAGE.to_owned())
    }

    /// Whether everything is measured that has a place in the document.
    pub(super) fn is_whole(&self) -> bool {
        self.sections.is_empty() && self.images.is_empty() && self.links.is_empty()
    }

    pub(super) fn wants_section(&self, section: Section) -> bool {
        self.sections.is_empty() || self.sections.contains(&section)
    }

    pub(super) fn wants_image(&self, name: &str) -> bool {
        self.images.is_empty() || self.images.iter().any(|image| image == name)
    }

    /// Takes a position, from 0; what is on no link is always wanted.
    pub(super) fn wants_link(&self, position: Option<usize>) -> bool {
        self.links.is_empty()
            || position.is_none_or(|position| self.links.contains(&(position + 1)))
    }

    pub(super) fn wants_tool(&self, name: &str) -> bool {
        self.tools.is_empty() || self.tools.iter().any(|tool| name.starts_with(tool))
    }
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse()
        .map_err(|_| format!("{text:?} is no number\n\n{USAGE}"))
}

#[cfg(test)]
mod tests {
    use super::{Options, Section};

    fn parse(line: &str) -> Result<Options, String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Options::parse(&words)
    }

    #[test]
    fn nothing_said_is_everything() {
        let options = parse("").expect("no arguments are right");
        assert!(options.wants_section(Section::Tls) && options.wants_image("save"));
        assert!(options.wants_link(Some(2)) && options.wants_tool("crane"));
        assert!(!options.write && options.is_whole());
    }

    #[test]
    fn a_part_is_that_part() {
        let line = "link --rounds 5 --only typical,save --links 2 --tools ghcr,oras --big 100";
        let options = parse(line).expect("these arguments are right");
        assert_eq!((options.rounds, options.big), (Some(5), 100));
        assert!(options.wants_section(Section::Link) && !options.wants_section(Section::Tls));
        assert!(options.wants_image("save") && !options.wants_image("index"));
        assert!(options.wants_link(Some(1)) && !options.wants_link(Some(0)));
        assert!(options.wants_tool("ghcr-push, zstd") && !options.wants_tool("crane"));
        assert!(!options.is_whole());
    }

    #[test]
    fn mistakes_are_refused() {
        for line in [
            "slow",
            "--rounds",
            "--rounds x",
            "--rounds 0",
            "--only all",
            "--links 4",
            "--write --tools oras",
            "--write --against other",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
