//! Lines of a terminal as a picture: text that can be read by programs too, colours for light and dark
//! surroundings, no font but the reader's own, no script.
//!
//! What a picture needs stands in attributes, since not every renderer knows style sheets, and of those that do, not
//! every one knows their variables. The style sheet holds what is different in dark surroundings.

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

/// A colour in light surroundings and in dark ones, as GitHub's pages have it.
type Shade = (&'static str, &'static str);
const GROUND: Shade = ("#ffffff", "#0d1117");
const BAR: Shade = ("#f6f8fa", "#151b23");
const EDGE: Shade = ("#d1d9e0", "#3d444d");
const TEXT: Shade = ("#1f2328", "#f0f6fc");
const DIM: Shade = ("#59636e", "#9198a1");
const RED: Shade = ("#cf222e", "#ff7b72");
const BLUE: Shade = ("#0969da", "#58a6ff");
const YELLOW: Shade = ("#9a6700", "#d29922");
const GREEN: Shade = ("#1a7f37", "#3fb950");

/// What each class is filled with, and the line around it. Of several classes of an element, the last counts.
const PAINTS: [(&str, Shade, Option<Shade>); 10] = [
    ("window", GROUND, Some(EDGE)),
    ("bar", BAR, Some(EDGE)),
    ("dot", EDGE, None),
    ("title", DIM, None),
    ("dim", DIM, None),
    (ASIDE, DIM, None),
    ("red", RED, None),
    ("blue", BLUE, None),
    ("yellow", YELLOW, None),
    (PROMPT, GREEN, None),
];

/// Where style sheets tell media apart; elsewhere it is `monospace`, since some renderers look at the first name only.
const FONTS: &str = "ui-monospace, SFMono-Regular, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', \
                     'Liberation Mono', monospace";

/// The style sheet.
fn style() -> String {
    let mut style = format!(
        "text {{ white-space: pre }}\n@media screen, print {{\n  text {{ font-family: {FONTS} }}\n}}\n\
         @media (prefers-color-scheme: dark) {{\n  text {{ fill: {} }}\n",
        TEXT.1
    );
    for (class, (_, fill), stroke) in PAINTS {
        let stroke = stroke.map_or_else(String::new, |(_, stroke)| format!("; stroke: {stroke}"));
        // Writing to a text cannot fail.
        let _ = writeln!(style, "  .{class} {{ fill: {fill}{stroke} }}");
    }
    style.push('}');
    style
}

/// The attributes of an element of these classes.
fn attributes(classes: &[&str]) -> String {
    if classes.is_empty() {
        return String::new();
    }
    let mut attributes = format!(" class=\"{}\"", classes.join(" "));
    let paints = PAINTS.iter().rev();
    if let Some((_, (fill, _), stroke)) = paints
        .into_iter()
        .find(|(class, _, _)| classes.contains(class))
    {
        let _ = write!(attributes, " fill=\"{fill}\"");
        if let Some((stroke, _)) = stroke {
            let _ = write!(attributes, " stroke=\"{stroke}\"");
        }
    }
    for (class, attribute) in [
        ("bold", " font-weight=\"bold\""),
        (ASIDE, " font-style=\"italic\""),
        ("title", " text-anchor=\"middle\""),
    ] {
        if classes.contains(&class) {
            attributes.push_str(attribute);
        }
    }
    attributes
}

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
         viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" xml:space=\"preserve\" \
         font-family=\"monospace\" font-size=\"{SIZE}\" fill=\"{}\">\n\
         <title>ghcr-push on a terminal</title>\n<desc>{}</desc>\n\
         <style>\n{}\n</style>\n{body}</svg>\n",
        TEXT.0,
        escaped(&label),
        style()
    )
}

fn draw(body: &mut String, window: &Window, (top, width, height): (f64, f64, f64)) {
    let frame = width - 1.0;
    let mut element = |text: String| {
        body.push_str(&text);
        body.push('\n');
    };
    element(format!(
        "<rect{} x=\"0.5\" y=\"{top}\" width=\"{frame}\" height=\"{height}\" rx=\"8\"/>",
        attributes(&["window"])
    ));
    let below = top + TITLE;
    let right = frame + 0.5;
    element(format!(
        "<path{} d=\"M0.5 {below} V{} a8 8 0 0 1 8 -8 H{} a8 8 0 0 1 8 8 V{below} Z\"/>",
        attributes(&["bar"]),
        top + 8.0,
        right - 8.0
    ));
    for dot in 0..3 {
        let x = 20.0 + 18.0 * f64::from(dot);
        let y = top + TITLE / 2.0;
        element(format!(
            "<circle{} cx=\"{x}\" cy=\"{y}\" r=\"5.5\"/>",
            attributes(&["dot"])
        ));
    }
    element(format!(
        "<text{} x=\"{}\" y=\"{}\">{}</text>",
        attributes(&["title"]),
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
                    attributes(&classes(&span.look)),
                    escaped(words.trim_end())
                ));
            }
            column += length;
        }
        y += LEADING;
    }
}

/// The classes of a look, which is a terminal's or one of this picture's.
fn classes(look: &str) -> Vec<&'static str> {
    look.split(';')
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
        .collect()
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

    /// A renderer that knows no style sheets, or no variables in them, shows no black window.
    #[test]
    fn colours_need_no_style_sheet() {
        let look = |look: &str| Span {
            look: look.to_owned(),
            text: "x".to_owned(),
        };
        let line = vec![look("1;31"), look("36"), look(""), look(ASIDE)];
        let picture = svg(20, &[Window::new("a", "x", vec![line])]);
        assert!(!picture.contains("var("), "{picture}");
        for element in ["<rect ", "<path ", "<circle "] {
            let mut elements = picture.lines().filter(|line| line.starts_with(element));
            assert!(elements.all(|line| line.contains(" fill=\"#")), "{element}");
        }
        for expected in [
            "class=\"window\" fill=\"#ffffff\" stroke=\"#d1d9e0\"",
            "class=\"bold red\" fill=\"#cf222e\" font-weight=\"bold\"",
            "class=\"blue\" fill=\"#0969da\"",
            "class=\"aside\" fill=\"#59636e\" font-style=\"italic\"",
            "  .window { fill: #0d1117; stroke: #3d444d }",
        ] {
            assert!(picture.contains(expected), "{expected}: {picture}");
        }
    }
}
