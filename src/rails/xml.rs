//! An XML message as a tree of names and texts. Small on purpose: no DTD, no entities beside the five of XML, names
//! without their prefix, a bound on depth; so nothing that comes from outside can blow up in here.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// Deeper than any message of ISO 20022.
const DEEPEST: usize = 64;

#[derive(Debug, Default)]
pub(super) struct Node {
    pub name: String,
    pub attributes: Vec<(String, String)>,
    pub text: String,
    pub children: Vec<Node>,
}

impl Node {
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    pub fn all<'n>(&'n self, name: &'n str) -> impl Iterator<Item = &'n Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The first node at the end of the way.
    pub fn at(&self, way: &[&str]) -> Option<&Self> {
        way.iter().try_fold(self, |node, name| node.child(name))
    }

    /// Its text, unless there is none.
    pub fn text_at(&self, way: &[&str]) -> Option<&str> {
        self.at(way).map(|node| node.text.as_str()).filter(|text| !text.is_empty())
    }

    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Itself or the first below it of that name.
    pub fn find(&self, name: &str) -> Option<&Self> {
        if self.name == name {
            return Some(self);
        }
        self.children.iter().find_map(|child| child.find(name))
    }
}

/// Bytes of a bank are UTF-8; old ones are Latin-1, in which every byte is a letter.
fn decoded(bytes: &[u8]) -> String {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

pub(super) fn parse(bytes: &[u8]) -> Result<Node, String> {
    let text = decoded(bytes);
    let mut reader = Reader::from_str(&text);
    let mut open = vec![Node::default()];
    loop {
        let event = reader.read_event().map_err(|error| error.to_string())?;
        match event {
            Event::Start(_) if open.len() >= DEEPEST => return Err("is nested too deeply".into()),
            Event::Start(start) => open.push(begun(&start)?),
            Event::Empty(start) => {
                let node = begun(&start)?;
                keep(&mut open, node)?;
            }
            Event::End(_) => {
                let mut node = open.pop().ok_or("ends more than it began")?;
                node.text = node.text.trim().to_owned();
                keep(&mut open, node)?;
            }
            Event::Text(text) => append(&mut open, &text),
            Event::CData(text) => append(&mut open, &text),
            Event::GeneralRef(entity) => {
                let sign = match &*entity {
                    "lt" => '<',
                    "gt" => '>',
                    "amp" => '&',
                    "apos" => '\'',
                    "quot" => '"',
                    name => entity
                        .resolve_char_ref()
                        .ok()
                        .flatten()
                        .ok_or_else(|| format!("has the entity &{name};, which is none of XML's own"))?,
                };
                append(&mut open, sign.encode_utf8(&mut [0; 4]));
            }
            Event::DocType(_) => return Err("has a document type, which no payment message has".into()),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof => break,
        }
    }
    match (open.pop(), open.is_empty()) {
        (Some(root), true) => root.children.into_iter().next().ok_or_else(|| "is empty".into()),
        _ => Err("ends before everything is closed".into()),
    }
}

fn begun(start: &BytesStart<'_>) -> Result<Node, String> {
    let mut node = Node { name: local(start.name().as_ref()).to_owned(), ..Node::default() };
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| error.to_string())?;
        let value: &str = &attribute.value;
        let value = quick_xml::escape::unescape(value).map_err(|error| error.to_string())?;
        node.attributes.push((attribute.key.as_ref().to_owned(), value.into_owned()));
    }
    Ok(node)
}

fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

fn keep(open: &mut [Node], node: Node) -> Result<(), String> {
    open.last_mut().ok_or("ends more than it began")?.children.push(node);
    Ok(())
}

fn append(open: &mut [Node], text: &str) {
    if let Some(node) = open.last_mut() {
        node.text.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_of_names_and_texts() {
        let root = parse(b"<?xml version='1.0'?><p:a xmlns:p='urn:x'><b c='1&lt;'> x &amp; &#65; <!-- no --></b><b/></p:a>");
        let root = root.unwrap();
        assert_eq!((root.name.as_str(), root.attribute("xmlns:p")), ("a", Some("urn:x")));
        assert_eq!(root.text_at(&["b"]), Some("x & A"));
        assert_eq!(root.child("b").unwrap().attribute("c"), Some("1<"));
        assert_eq!(root.all("b").count(), 2);
        assert!(root.at(&["b", "c"]).is_none() && root.find("b").is_some());
    }

    #[test]
    fn what_could_do_harm_is_refused() {
        for bad in [
            "<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>",
            "<a>&other;</a>",
            "<a><b></a>",
            "<a>",
            "",
            "</a>",
            &"<a>".repeat(1000),
        ] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn latin_bytes_are_letters() {
        assert_eq!(parse(b"<a>Z\xfcrich</a>").unwrap().text, "Zürich");
    }
}
