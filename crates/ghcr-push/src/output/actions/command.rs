//! A workflow command, escaped as `@actions/core` escapes it
//! (<https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts>).

/// A command. Its texts may come from anywhere.
#[derive(Debug)]
pub(super) struct Command {
    name: &'static str,
    properties: Vec<(&'static str, String)>,
    message: String,
}

impl Command {
    pub(super) fn new(name: &'static str, message: &str) -> Self {
        Self {
            name,
            properties: Vec::new(),
            message: message.to_owned(),
        }
    }

    pub(super) fn with(mut self, property: &'static str, value: &str) -> Self {
        self.properties.push((property, value.to_owned()));
        self
    }

    /// The command as one line. `harmless` is applied to each line of the message, and to each property as a whole.
    pub(super) fn line(&self, harmless: &dyn Fn(&str) -> String) -> String {
        let properties: Vec<String> = self
            .properties
            .iter()
            .map(|(name, value)| format!("{name}={}", escape_property(&harmless(value))))
            .collect();
        let blank = if properties.is_empty() { "" } else { " " };
        let message: Vec<String> = self.message.lines().map(harmless).collect();
        format!(
            "::{}{blank}{}::{}",
            self.name,
            properties.join(","),
            escape(&message.join("\n"))
        )
    }
}

/// A message without what would end the command.
fn escape(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// A property's value without what would end it.
fn escape_property(text: &str) -> String {
    escape(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let as_is = |line: &str| line.to_owned();
        for (command, expected) in [
            (Command::new("endgroup", ""), "::endgroup::"),
            (Command::new("group", "a: b, c"), "::group::a: b, c"),
            (
                Command::new("error", "100 % of\r\nlines\n::error::x").with("title", "a: b, 5 %"),
                "::error title=a%3A b%2C 5 %25::100 %25 of%0Alines%0A::error::x",
            ),
            (
                Command::new("error", "a\rb")
                    .with("title", "a\nb::warning::c")
                    .with("file", ".github/workflows/a,b.yml"),
                "::error title=a%0Ab%3A%3Awarning%3A%3Ac,file=.github/workflows/a%2Cb.yml::a%0Db",
            ),
        ] {
            assert_eq!(command.line(&as_is), expected);
        }
    }
}
