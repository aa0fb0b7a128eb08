//! Lines of a terminal as a picture: text that can be read by programs too, colours for light and dark
//! surroundings, no font but the reader's own, no script.

use std::fmt::Write as _;

use super::screen::{Line, Span, plain, text};

/// Of a character, in pixels; nearly every monospaced font is 0.6 of its size wide.
const SIZE: f64 = 13.0;
const ADVANCE: f64 = 7.8;
const LEADING: f64 = 19.0;

const MARGIN: f64 = 18.0;
/// The bar above a window.
const TITLE: f64 = 32.0;
/// Between two windows.
const GAP: f64 = 16.0;

/// The look of lines that the terminal did not show.
const ASIDE: &str = "aside";
const PROMPT: &str = "prompt";

const STYLE: &str = "\
:root { --ground: #ffffff; --bar: #f6f8fa; --edge: #d1d9e0; --text: #1f2328; --dim: #59636e;
  --red: #cf222e; --blue: #0969da; --yellow: #9a6700; --green: #1a7f37 }
@media (prefers-color-scheme: dark) {
  :root { --ground: #0d1117; --bar: #151b23; --edge: #3d444d; --text: #f0f6fc; --dim: #9198a1;
    --red: #ff7b72; --blue: #58a6ff; --yellow: #d29922; --green: #3fb950 }
}
text { font-family: ui-monospace, SFMono-Regular, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono',
  'Liberation Mono', monospace; font-size: 13px; fill: var(--text); white-space: pre }
.window { fill: var(--ground); stroke: var(--edge) }
.bar { fill: var(--bar); stroke: var(--edge) }
.dot { fill: var(--edge) }
.title, .dim, .aside { fill: var(--dim) }
.title { text-anchor: middle }
.aside { font-style: italic }
.red { fill: var(--red) }
.blue { fill: var(--blue) }
.yellow { fill: var(--yellow) }
.prompt { fill: var(--green) }
.bold { font-weight: bold }";

/// A terminal's window.
pub(super) struct Window {
    title: String,
    lines: Vec<Line>,
}

impl Window {
    /// What a command shows.
    pub(super) fn new(title: &str, command: &str, lines: Vec<Line>) -> Self {
        let prompt = Span {
            look: PROMPT.to_owned(),
            text: "$ ".to_owned(),
        };
        let mut all = vec![[vec![prompt], plain(command)].concat()];
        all.extend(lines);
        Self {
            title: title.to_owned(),
            lines: all,
        }
    }
}

/// A line that says that time passes.
pub(super) fn cut(words: &str) -> Line {
    vec![Span {
        look: ASIDE.to_owned(),
        text: format!("... {words}:"),
    }]
}

/// The picture.
pub(super) fn svg(columns: usize, windows: &[Window]) -> String {
    let width = coordinate(columns) * ADVANCE + 2.0 * MARGIN;
    let mut body = String::new();
    let mut top = 0.5;
    for window in windows {
        let height = TITLE + 2.0 * MARGIN + coordinate(window.lines.len()) * LEADING - 6.0;
        draw(&mut body, window, (top, width, height));
        top += height + GAP;
    }
    let height = top - GAP + 0.5;
    let label = windows
        .iter()
        .flat_map(|window| &window.lines)
        .map(text)
        .collect::<Vec<_>>()
        .join("\n");
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" xml:space=\"preserve\">\n\
         <title>ghcr-push on a terminal</title>\n<desc>{}</desc>\n\
         <style>\n{STYLE}\n</style>\n{body}</svg>\n",
        escaped(&label)
    )
}

fn draw(body: &mut String, window: &Window, (top, width, height): (f64, f64, f64)) {
    let frame = width - 1.0;
    let mut element = |text: String| {
        body.push_str(&text);
        body.push('\n');
    };
    element(format!(
        "<rect class=\"window\" x=\"0.5\" y=\"{top}\" width=\"{frame}\" height=\"{height}\" rx=\"8\"/>"
    ));
    let below = top + TITLE;
    let right = frame + 0.5;
    element(format!(
        "<path class=\"bar\" d=\"M0.5 {below} V{} a8 8 0 0 1 8 -8 H{} a8 8 0 0 1 8 8 V{below} Z\"/>",
        top + 8.0,
        right - 8.0
    ));
    for dot in 0..3 {
        let x = 20.0 + 18.0 * f64::from(dot);
        let y = top + TITLE / 2.0;
        element(format!(
            "<circle class=\"dot\" cx=\"{x}\" cy=\"{y}\" r=\"5.5\"/>"
        ));
    }
    element(format!(
        "<text class=\"title\" x=\"{}\" y=\"{}\">{}</text>",
        width / 2.0,
        top + TITLE / 2.0 + 4.5,
        escaped(&window.title)
    ));
    let mut y = below + MARGIN + SIZE - 3.0;
    for line in &window.lines {
        let mut column = 0;
        for span in line {
            let length = span.text.chars().count();
            let words = span.text.trim_start();
            // A text that began with blanks would be moved by programs that drop them.
            let start = column + length - words.chars().count();
            if !words.is_empty() {
                let x = MARGIN + coordinate(start) * ADVANCE;
                let long = coordinate(words.trim_end().chars().count()) * ADVANCE;
                element(format!(
                    "<text{} x=\"{x:.1}\" y=\"{y}\" textLength=\"{long:.1}\">{}</text>",
                    class(&span.look),
                    escaped(words.trim_end())
                ));
            }
            column += length;
        }
        y += LEADING;
    }
}

/// The class of a look, which is a terminal's or one of our own.
fn class(look: &str) -> String {
    let names: Vec<&str> = look
        .split(';')
        .filter_map(|parameter| match parameter {
            "1" => Some("bold"),
            "2" => Some("dim"),
            "31" => Some("red"),
            "33" => Some("yellow"),
            // Cyan, which is hard to read on white.
            "36" => Some("blue"),
            ASIDE => Some("aside"),
            PROMPT => Some("prompt"),
            _ => None,
        })
        .collect();
    if names.is_empty() {
        return String::new();
    }
    format!(" class=\"{}\"", names.join(" "))
}

fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        // Writing to a text cannot fail.
        let _ = match character {
            '&' => escaped.write_str("&amp;"),
            '<' => escaped.write_str("&lt;"),
            '>' => escaped.write_str("&gt;"),
            other => escaped.write_char(other),
        };
    }
    escaped
}

/// A count as a place in the picture.
fn coordinate(count: usize) -> f64 {
    u32::try_from(count).map_or(0.0, f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_becomes_markup() {
        let window = Window::new("a & b", "x", vec![plain("<script>")]);
        let picture = svg(20, &[window]);
        assert!(picture.contains("a &amp; b") && picture.contains("&lt;script&gt;"));
        assert!(!picture.contains("<script"));
    }
}
