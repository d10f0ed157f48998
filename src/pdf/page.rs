//! Pages, A4 across, and the file that they make. The only place where lengths become the floats that the format has.

use pdf_writer::{Content, Finish, Name, Pdf, Rect, Ref, Str, TextStr};

use super::letters::{Face, encode, width};

/// 842 points.
pub const WIDTH: i16 = 16_840;
/// 595 points.
pub const HEIGHT: i16 = 11_900;

const PLAIN: Name<'static> = Name(b"F1");
const BOLD: Name<'static> = Name(b"F2");

pub struct Paper {
    title: String,
    pages: Vec<Content>,
}

impl Paper {
    pub fn new(title: &str) -> Self {
        Self { title: title.to_owned(), pages: vec![blank()] }
    }

    /// The next page.
    pub fn turn(&mut self) {
        self.pages.push(blank());
    }

    pub fn pages(&self) -> usize {
        self.pages.len()
    }

    /// From `x` to the right.
    pub fn text(&mut self, (face, size): (Face, i16), x: i16, y: i16, text: &str) {
        if let Some(page) = self.pages.last_mut() {
            show(page, (face, size), (x, y), text);
        }
    }

    /// Up to `x`.
    pub fn text_before(&mut self, (face, size): (Face, i16), x: i16, y: i16, text: &str) {
        let begin = i32::from(x).saturating_sub(width(face, size, text));
        self.text((face, size), i16::try_from(begin).unwrap_or(0).max(0), y, text);
    }

    /// A thin line.
    pub fn rule(&mut self, from: i16, to: i16, y: i16) {
        if let Some(page) = self.pages.last_mut() {
            page.set_line_width(10.0);
            page.move_to(f32::from(from), f32::from(y)).line_to(f32::from(to), f32::from(y)).stroke();
        }
    }

    /// The file. `foot` says what stands below each page, left and right, of its number and how many there are.
    pub fn finish(mut self, foot: impl Fn(usize, usize) -> (String, String), margin: i16) -> Vec<u8> {
        let (count, last) = (self.pages.len(), WIDTH.saturating_sub(margin));
        let low = margin / 2;
        for (page, number) in self.pages.iter_mut().zip(1..) {
            let (left, right) = foot(number, count);
            let size = (Face::Plain, 7);
            show(page, size, (margin, low), &left);
            let begin = i32::from(last).saturating_sub(width(size.0, size.1, &right));
            show(page, size, (i16::try_from(begin).unwrap_or(0), low), &right);
        }
        file(&self.title, self.pages)
    }
}

/// Lengths on it are twentieths of a point.
fn blank() -> Content {
    let mut page = Content::new();
    page.transform([0.05, 0.0, 0.0, 0.05, 0.0, 0.0]);
    page
}

fn show(page: &mut Content, (face, size): (Face, i16), (x, y): (i16, i16), text: &str) {
    let font = match face {
        Face::Plain => PLAIN,
        Face::Bold => BOLD,
    };
    page.begin_text();
    page.set_font(font, f32::from(size.saturating_mul(super::POINT)));
    page.next_line(f32::from(x), f32::from(y));
    page.show(Str(&encode(text)));
    page.end_text();
}

/// Every id is used once; the file has no time and no id of its own.
fn file(title: &str, pages: Vec<Content>) -> Vec<u8> {
    let (catalog, tree, plain, bold, info) =
        (Ref::new(1), Ref::new(2), Ref::new(3), Ref::new(4), Ref::new(5));
    let mut pdf = Pdf::new();
    let mut root = pdf.catalog(catalog);
    root.pages(tree).lang(TextStr("en"));
    root.finish();
    pdf.document_info(info).title(TextStr(title)).producer(TextStr("upline"));
    for (id, name) in [(plain, b"Helvetica".as_slice()), (bold, b"Helvetica-Bold")] {
        pdf.type1_font(id).base_font(Name(name)).encoding_predefined(Name(b"WinAnsiEncoding"));
    }
    let mut next = info.next();
    let mut kids = vec![];
    for content in pages {
        let (page_id, content_id) = (next.bump(), next.bump());
        kids.push(page_id);
        let mut page = pdf.page(page_id);
        page.media_box(Rect::new(0.0, 0.0, 842.0, 595.0)).parent(tree).contents(content_id);
        let mut resources = page.resources();
        resources.fonts().pair(PLAIN, plain).pair(BOLD, bold);
        resources.finish();
        page.finish();
        pdf.stream(content_id, &content.finish());
    }
    let count = i32::try_from(kids.len()).unwrap_or(i32::MAX);
    pdf.pages(tree).kids(kids).count(count);
    pdf.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(pages: usize) -> Vec<u8> {
        let mut paper = Paper::new("Größe");
        for _ in 1..pages {
            paper.turn();
        }
        paper.text((Face::Bold, 9), 800, 800, "(left) \\ Größe");
        paper.text_before((Face::Plain, 9), 4000, 800, "1.00");
        paper.finish(|number, of| ("foot".to_owned(), format!("{number}/{of}")), 800)
    }

    #[test]
    fn the_same_calls_give_the_same_bytes() {
        assert_eq!(sample(3), sample(3));
        let text = String::from_utf8_lossy(&sample(3)).into_owned();
        assert!(text.starts_with("%PDF-1.7") && text.contains("/Count 3"), "{text}");
        assert!(text.contains("3/3") && text.contains("WinAnsiEncoding"));
    }
}
