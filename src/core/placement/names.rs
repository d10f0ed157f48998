//! Many ids in one text, in order, found by halving.

#[derive(Debug, Default)]
pub struct Names {
    text: String,
    ends: Vec<u32>,
}

impl Names {
    /// `None` when there are more than can be numbered. The ids come in order, each once.
    pub fn of<'a>(sorted: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let mut names = Self::default();
        for name in sorted {
            names.text.push_str(name);
            names.ends.push(u32::try_from(names.text.len()).ok()?);
        }
        names.text.shrink_to_fit();
        names.ends.shrink_to_fit();
        u32::try_from(names.ends.len()).ok().filter(|len| *len < super::NONE).map(|_| names)
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn get(&self, number: u32) -> &str {
        self.at(super::at(number))
    }

    pub fn find(&self, name: &str) -> Option<u32> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.at(middle).cmp(name) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return u32::try_from(middle).ok(),
            }
        }
        None
    }

    fn at(&self, index: usize) -> &str {
        let end = self.ends.get(index).map_or(0, |end| super::at(*end));
        let start =
            index.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |s| super::at(*s));
        self.text.get(start..end).unwrap_or("")
    }
}
