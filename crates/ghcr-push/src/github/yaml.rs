//! YAML as a tree that can be looked into, built from the parser's events.
//!
//! Anchors are shared, not copied: a file of a few lines can name itself so often that its copies would
//! fill the memory. What is nested deeper, or larger, than any workflow is no answer.

use std::collections::BTreeMap;
use std::rc::Rc;

use saphyr_parser::{Event, Parser};

/// Deeper than any workflow's file.
const DEPTH_LIMIT: usize = 64;

/// More nodes than any workflow's file has.
const NODE_LIMIT: usize = 100_000;

/// A node of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    /// A text, whatever it means.
    Scalar(String),
    /// A list, of which nothing is needed.
    Sequence,
    /// Keys that are texts, in the order of the file, and their values.
    Mapping(Vec<Entry>),
}

/// A key and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: String,
    /// The line of the file in which the key stands, from 1.
    pub(super) line: usize,
    pub(super) value: Rc<Node>,
}

impl Node {
    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        let entry = self.entries()?.iter().find(|entry| entry.key == key)?;
        Some(&entry.value)
    }

    /// Keys and values of a mapping.
    pub(super) fn entries(&self) -> Option<&[Entry]> {
        match self {
            Self::Mapping(entries) => Some(entries),
            Self::Scalar(_) | Self::Sequence => None,
        }
    }

    /// The text of a scalar.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Scalar(text) => Some(text),
            Self::Sequence | Self::Mapping(_) => None,
        }
    }
}

/// A collection that is not yet closed.
struct Open {
    node: Node,
    /// 0 if it has none.
    anchor: usize,
    /// The key that waits for its value, and its line.
    key: Option<(Rc<Node>, usize)>,
}

/// Reads the first document of `text`, `None` if it is no YAML, or not of a sensible size.
pub(super) fn read(text: &str) -> Option<Rc<Node>> {
    let mut open: Vec<Open> = Vec::new();
    let mut anchors: BTreeMap<usize, Rc<Node>> = BTreeMap::new();
    for (count, event) in Parser::new_from_str(text).enumerate() {
        let (event, span) = event.ok()?;
        if count > NODE_LIMIT || open.len() > DEPTH_LIMIT {
            return None;
        }
        let (node, anchor) = match event {
            Event::Scalar(text, _, anchor, _) => (Rc::new(Node::Scalar(text.into_owned())), anchor),
            // An anchor within itself is not known yet, and no workflow's.
            Event::Alias(anchor) => (Rc::clone(anchors.get(&anchor)?), 0),
            Event::SequenceStart(anchor, _) => {
                open.push(opened(Node::Sequence, anchor));
                continue;
            }
            Event::MappingStart(anchor, _) => {
                open.push(opened(Node::Mapping(Vec::new()), anchor));
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let closed = open.pop()?;
                (Rc::new(closed.node), closed.anchor)
            }
            Event::DocumentEnd | Event::StreamEnd => return None,
            Event::Nothing | Event::StreamStart | Event::DocumentStart(_) => continue,
        };
        if anchor != 0 {
            anchors.insert(anchor, Rc::clone(&node));
        }
        match open.last_mut() {
            Some(parent) => parent.take(node, span.start.line()),
            None => return Some(node),
        }
    }
    None
}

fn opened(node: Node, anchor: usize) -> Open {
    Open {
        node,
        anchor,
        key: None,
    }
}

impl Open {
    /// Adds what was read: to a mapping keys and values in turn.
    fn take(&mut self, child: Rc<Node>, line: usize) {
        let Node::Mapping(entries) = &mut self.node else {
            return;
        };
        match self.key.take() {
            None => self.key = Some((child, line)),
            // A key that is no text has a value that nobody asks for.
            Some((key, line)) => entries.extend(key.text().map(|key| Entry {
                key: key.to_owned(),
                line,
                value: child,
            })),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at<'a>(node: &'a Node, path: &[&str]) -> Option<&'a str> {
        let mut node = node;
        for key in path {
            node = node.get(key)?;
        }
        node.text()
    }

    #[test]
    fn trees() {
        let text = "# comment\n\
                    on: [push, {x: y}]\n\
                    a: &shared\n  b: 'one'\n  c: {d: \"two\"}\n\
                    e: *shared\n\
                    ? [odd]\n: value\n\
                    f: |\n  several\n  lines\n";
        let tree = read(text).expect("YAML");
        assert_eq!(at(&tree, &["a", "b"]), Some("one"));
        assert_eq!(at(&tree, &["e", "c", "d"]), Some("two"));
        assert_eq!(at(&tree, &["f"]), Some("several\nlines\n"));
        assert_eq!(tree.get("on"), Some(&Node::Sequence));
        assert_eq!(at(&tree, &["odd"]), None);
    }

    #[test]
    fn no_trees() {
        let deep = format!("{}{}", "[".repeat(1000), "]".repeat(1000));
        for text in ["", "a: [", "a: *nobody", "a: &a [*a]", "\t\0", &deep] {
            assert_eq!(read(text), None, "{text:.20}");
        }
    }

    /// Ten levels of ten aliases each would be ten thousand million nodes as copies.
    #[test]
    fn aliases_are_not_copied() {
        let mut text = "a0: &a0 {x: y}\n".to_owned();
        for level in 1..=10 {
            let entries: Vec<String> = (0..10)
                .map(|key| format!("k{key}: *a{}", level - 1))
                .collect();
            let line = format!("a{level}: &a{level} {{{}}}\n", entries.join(", "));
            text.push_str(&line);
        }
        let tree = read(&text).expect("YAML");
        let path: Vec<&str> = ["a10"].into_iter().chain(["k9"; 10]).chain(["x"]).collect();
        assert_eq!(at(&tree, &path), Some("y"));
    }
}
