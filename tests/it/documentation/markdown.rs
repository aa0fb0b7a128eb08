//! As much of Markdown as the documents use: headings, links, and fenced code.

use std::collections::HashMap;

/// A page.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) path: String,
    /// What can stand behind `#` in a link.
    pub(super) anchors: Vec<String>,
    pub(super) links: Vec<Link>,
    pub(super) blocks: Vec<Block>,
}

#[derive(Debug)]
pub(super) struct Link {
    pub(super) line: usize,
    pub(super) target: String,
}

/// A fenced block of code.
#[derive(Debug)]
pub(super) struct Block {
    /// Of the opening fence.
    pub(super) line: usize,
    /// What stands behind the opening fence.
    pub(super) info: String,
    pub(super) text: String,
}

impl Page {
    pub(super) fn read(path: &str, text: &str) -> Self {
        let mut page = Self {
            path: path.to_owned(),
            anchors: Vec::new(),
            links: Vec::new(),
            blocks: Vec::new(),
        };
        let mut seen: HashMap<String, usize> = HashMap::new();
        let mut open: Option<Block> = None;
        // Paragraphs as a whole: a link may be broken between words.
        let mut paragraph = (0, String::new());
        for (number, line) in text.lines().enumerate() {
            let number = number + 1;
            let fence = line.trim_start().strip_prefix("```");
            match (&mut open, fence) {
                (Some(block), None) => {
                    block.text.push_str(line);
                    block.text.push('\n');
                    continue;
                }
                (Some(_), Some(_)) => {
                    page.blocks.extend(open.take());
                    continue;
                }
                (None, Some(info)) => {
                    page.flush(&mut paragraph);
                    open = Some(Block {
                        line: number,
                        info: info.to_owned(),
                        text: String::new(),
                    });
                    continue;
                }
                (None, None) => {}
            }
            if let Some((marks, title)) = line.split_once(' ')
                && !marks.is_empty()
                && marks.bytes().all(|byte| byte == b'#')
            {
                let anchor = slug(title);
                let count = seen.entry(anchor.clone()).or_default();
                page.anchors.push(match *count {
                    0 => anchor,
                    count => format!("{anchor}-{count}"),
                });
                *count += 1;
            }
            if line.trim().is_empty() {
                page.flush(&mut paragraph);
            } else {
                if paragraph.1.is_empty() {
                    paragraph.0 = number;
                }
                paragraph.1.push_str(line);
                paragraph.1.push('\n');
            }
        }
        page.flush(&mut paragraph);
        assert!(open.is_none(), "{path}: a block without an end");
        page
    }

    fn flush(&mut self, (line, text): &mut (usize, String)) {
        let text = without_code(&std::mem::take(text));
        let mut rest = text.as_str();
        let mut line = *line;
        while let Some(at) = rest.find("](") {
            line += rest[..at].matches('\n').count();
            rest = &rest[at + 2..];
            if let Some(end) = rest.find(')') {
                self.links.push(Link {
                    line,
                    target: rest[..end].to_owned(),
                });
            }
        }
    }
}

/// The text with what stands between backticks left out.
fn without_code(text: &str) -> String {
    text.split('`').step_by(2).collect()
}

/// A heading as GitHub names it in addresses.
fn slug(title: &str) -> String {
    let kept = title
        .trim()
        .chars()
        .filter_map(|character| match character {
            ' ' => Some('-'),
            '-' | '_' => Some(character),
            other => other
                .is_alphanumeric()
                .then(|| other.to_lowercase().next().unwrap_or(other)),
        });
    kept.collect()
}

#[test]
fn a_page() {
    let text = "# The `check` of it, 2nd\n\nSee [a\nlink](b.md#c) and `[no](link)`.\n\n\
                ```sh no_run: why\n# comment\n[no](link)\n```\n\n## Twice\n## Twice\n";
    let page = Page::read("a.md", text);
    assert_eq!(page.anchors, ["the-check-of-it-2nd", "twice", "twice-1"]);
    let links: Vec<(usize, &str)> = page
        .links
        .iter()
        .map(|link| (link.line, link.target.as_str()))
        .collect();
    assert_eq!(links, [(4, "b.md#c")]);
    let [block] = page.blocks.as_slice() else {
        panic!("{page:?}");
    };
    assert_eq!((block.line, block.info.as_str()), (6, "sh no_run: why"));
    assert_eq!(block.text, "# comment\n[no](link)\n");
}
