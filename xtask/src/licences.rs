//! That every dependency's licence is on the list, and that there is one copy of what must be one.
//!
//! `deny.toml` holds the rules, for `cargo deny` too.

use std::collections::BTreeMap;

use serde_json::Value;
use spdx::{Expression, LicenseReq};

use crate::run::{cargo, root};

/// Checks the rules of `deny.toml` against what cargo resolved.
pub(crate) fn licences() -> Result<(), String> {
    let rules = Rules::read()?;
    let output = cargo(&["metadata", "--format-version", "1", "--locked"])
        .output()
        .map_err(|error| format!("cargo metadata cannot be run: {error}"))?;
    let metadata: Value =
        serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())?;
    let packages = metadata["packages"]
        .as_array()
        .ok_or("cargo metadata lists no packages")?;
    let mut problems = Vec::new();
    let mut copies: BTreeMap<&str, usize> = BTreeMap::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        *copies.entry(name).or_default() += 1;
        if let Err(problem) = rules.allow(package["license"].as_str()) {
            problems.push(format!("{name}: {problem}"));
        }
    }
    for (name, allowed) in &rules.copies {
        let found = copies.get(name.as_str()).copied().unwrap_or(0);
        if found > *allowed {
            problems.push(format!("{name}: {found} copies, {allowed} allowed"));
        }
    }
    if problems.is_empty() {
        return Ok(());
    }
    Err(problems.join("\n"))
}

struct Rules {
    licences: Vec<LicenseReq>,
    /// How many versions of a crate there may be, where that is limited.
    copies: Vec<(String, usize)>,
}

impl Rules {
    fn read() -> Result<Self, String> {
        let text =
            std::fs::read_to_string(root().join("deny.toml")).map_err(|error| error.to_string())?;
        let rules: toml::Table = text
            .parse()
            .map_err(|error| format!("deny.toml: {error}"))?;
        let listed = rules["licenses"]["allow"]
            .as_array()
            .ok_or("deny.toml allows no licence")?;
        let mut licences = Vec::new();
        for licence in listed.iter().filter_map(toml::Value::as_str) {
            let licensee =
                spdx::Licensee::parse(licence).map_err(|error| format!("{licence}: {error}"))?;
            licences.push(licensee.into_req());
        }
        let denied = rules["bans"]["deny"]
            .as_array()
            .ok_or("deny.toml bans nothing")?;
        let copies = denied.iter().filter_map(|rule| {
            let single = rule.get("deny-multiple-versions").is_some();
            Some((rule.get("name")?.as_str()?.to_owned(), usize::from(single)))
        });
        Ok(Self {
            licences,
            copies: copies.collect(),
        })
    }

    fn allow(&self, licence: Option<&str>) -> Result<(), String> {
        let licence = licence.ok_or("no licence is named")?;
        let expression = Expression::parse_mode(licence, spdx::ParseMode::LAX)
            .map_err(|error| format!("{licence:?} is not understood: {error}"))?;
        if expression.evaluate(|required| self.licences.contains(required)) {
            Ok(())
        } else {
            Err(format!("{licence:?} is not on the list"))
        }
    }
}
