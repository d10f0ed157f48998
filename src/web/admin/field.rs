//! What is wrong with which field of a form: shown beside the field, which keeps what was typed.

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wrong(Vec<(&'static str, String)>);

impl Wrong {
    pub fn add(&mut self, field: &'static str, text: impl Into<String>) {
        self.0.push((field, text.into()));
    }

    pub fn with(mut self, field: &'static str, text: impl Into<String>) -> Self {
        self.add(field, text);
        self
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first thing that is wrong with a field.
    pub fn at(&self, field: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == field).map(|(_, text)| text.as_str())
    }
}
