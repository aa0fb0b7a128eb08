//! A task's options: `--name value`, each once.

use std::collections::BTreeMap;

/// Options by name.
#[derive(Debug)]
pub(crate) struct Arguments(BTreeMap<String, String>);

impl Arguments {
    /// Reads words, of which the options have to be among `known`.
    pub(crate) fn read(words: &[String], known: &[&str]) -> Result<Self, String> {
        let mut options = BTreeMap::new();
        for pair in words.chunks(2) {
            let name = pair[0]
                .strip_prefix("--")
                .filter(|name| known.contains(name));
            let name = name.ok_or_else(|| format!("{} is not known here", pair[0]))?;
            let value = pair
                .get(1)
                .ok_or_else(|| format!("--{name} has no value"))?;
            if options.insert(name.to_owned(), value.clone()).is_some() {
                return Err(format!("--{name} stands twice"));
            }
        }
        Ok(Self(options))
    }

    /// An option that has to be there.
    pub(crate) fn need(&self, name: &str) -> Result<&str, String> {
        let value = self.0.get(name).map(String::as_str);
        value.ok_or_else(|| format!("--{name} is missing"))
    }
}

#[cfg(test)]
mod tests {
    use super::Arguments;

    #[test]
    fn options() {
        for (words, expected) in [
            (&["--a", "1"][..], Ok("1")),
            (&["--b", "2", "--a", "--b"], Ok("--b")),
            (&[], Err("--a is missing")),
            (&["--a"], Err("--a has no value")),
            (&["--a", "1", "--a", "2"], Err("--a stands twice")),
            (&["--c", "1"], Err("--c is not known here")),
            (&["a", "1"], Err("a is not known here")),
        ] {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            let found = Arguments::read(&words, &["a", "b"]);
            let found = found.and_then(|options| options.need("a").map(str::to_owned));
            assert_eq!(found, expected.map(str::to_owned).map_err(str::to_owned));
        }
    }
}
