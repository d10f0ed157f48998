//! Letters of the built-in Helvetica: which byte of WinAnsi each one is, and how wide it is.

/// Which of the two fonts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Face {
    Plain,
    Bold,
}

/// What WinAnsi has between 0x80 and 0x9F.
const SPECIAL: [(char, u8); 27] = [
    ('€', 0x80),
    ('‚', 0x82),
    ('ƒ', 0x83),
    ('„', 0x84),
    ('…', 0x85),
    ('†', 0x86),
    ('‡', 0x87),
    ('ˆ', 0x88),
    ('‰', 0x89),
    ('Š', 0x8A),
    ('‹', 0x8B),
    ('Œ', 0x8C),
    ('Ž', 0x8E),
    ('‘', 0x91),
    ('’', 0x92),
    ('“', 0x93),
    ('”', 0x94),
    ('•', 0x95),
    ('–', 0x96),
    ('—', 0x97),
    ('˜', 0x98),
    ('™', 0x99),
    ('š', 0x9A),
    ('›', 0x9B),
    ('œ', 0x9C),
    ('ž', 0x9E),
    ('Ÿ', 0x9F),
];

/// The bytes of a text. What WinAnsi does not have is written in Latin letters, and is `?` where nobody knows how.
pub fn encode(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    for letter in text.chars() {
        let special = SPECIAL.iter().find(|(known, _)| *known == letter).map(|(_, byte)| *byte);
        match (special, u8::try_from(u32::from(letter))) {
            (Some(byte), _) | (None, Ok(byte @ (0x20..=0x7E | 0xA0..=0xFF))) => bytes.push(byte),
            _ if letter.is_control() => bytes.push(b' '),
            _ => bytes.extend(deunicode::deunicode_char(letter).unwrap_or("?").bytes()),
        }
    }
    bytes
}

/// From the space to the tilde, in thousandths of the font's size, as Adobe's metrics of the fonts have them.
const PLAIN: [i16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556,
    556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278,
    500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469,
    556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500,
    278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
];
const BOLD: [i16; 95] = [
    278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556,
    556, 556, 556, 556, 556, 333, 333, 584, 584, 584, 611, 975, 722, 722, 722, 722, 667, 611, 778, 722, 278,
    556, 722, 611, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 333, 278, 333, 584,
    556, 333, 556, 611, 556, 611, 556, 333, 611, 611, 278, 278, 556, 278, 889, 611, 611, 611, 611, 389, 556,
    333, 611, 556, 778, 556, 556, 500, 389, 280, 389, 584,
];
/// Of what is in neither table: nothing there is wider. Too wide only means a line break a little early.
const WIDEST: i16 = 1000;

fn wide(face: Face, byte: u8) -> i16 {
    let table = match face {
        Face::Plain => &PLAIN,
        Face::Bold => &BOLD,
    };
    let at = byte.checked_sub(b' ').map(usize::from);
    at.and_then(|at| table.get(at)).copied().unwrap_or(WIDEST)
}

/// How wide a text is at a size in points, in twentieths of a point, rounded up.
pub fn width(face: Face, size: i16, text: &str) -> i32 {
    of_bytes(face, size, &encode(text))
}

fn of_bytes(face: Face, size: i16, bytes: &[u8]) -> i32 {
    let thousandths: i32 = bytes.iter().map(|byte| i32::from(wide(face, *byte))).sum();
    let twentieths = thousandths.saturating_mul(i32::from(size)).saturating_mul(i32::from(super::POINT));
    twentieths.saturating_add(999) / 1000
}

/// The text in lines that fit, broken between words; a word that is wider than a line is broken itself.
pub fn wrap(face: Face, size: i16, text: &str, room: i32) -> Vec<String> {
    let fits = |line: &str| width(face, size, line) <= room;
    let mut lines: Vec<String> = vec![];
    for word in text.split_whitespace() {
        let longer = lines.last().map(|line| format!("{line} {word}")).filter(|line| fits(line));
        if let (Some(longer), Some(last)) = (longer, lines.last_mut()) {
            *last = longer;
            continue;
        }
        let mut part = String::new();
        for letter in word.chars() {
            part.push(letter);
            if !fits(&part) && part.chars().count() > 1 {
                part.pop();
                lines.push(std::mem::replace(&mut part, letter.to_string()));
            }
        }
        lines.push(part);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_western_europe_stay_and_others_are_spelled() {
        assert_eq!(encode("Größe 5 €"), [b"Gr\xF6\xDFe 5 ".as_slice(), b"\x80"].concat());
        assert_eq!(encode("Łódź"), b"L\xF3dz");
        assert_eq!(encode("Иван"), b"Ivan");
        assert_eq!(encode("a\nb\u{7f}"), b"a b ");
        assert_eq!(encode("\u{e123}"), b"?", "a private letter");
    }

    #[test]
    fn widths_are_those_of_the_font() {
        assert_eq!(width(Face::Plain, 10, "0123456789"), 1112);
        assert_eq!(width(Face::Bold, 10, "."), 56);
        assert!(width(Face::Bold, 9, "Balance") > width(Face::Plain, 9, "Balance"));
    }

    #[test]
    fn every_line_fits_and_no_letter_is_lost() {
        let text = "Order 301 of main: levels (level 1, 2) Donaudampfschifffahrtsgesellschaftskapitän";
        for points in [30, 60, 120, 600] {
            let room = points * i32::from(crate::pdf::POINT);
            let lines = wrap(Face::Plain, 8, text, room);
            assert!(lines.iter().all(|line| width(Face::Plain, 8, line) <= room), "{lines:?}");
            let joined = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            assert_eq!(joined(&lines.concat()), joined(text));
        }
        assert_eq!(wrap(Face::Plain, 8, "  ", 1000), Vec::<String>::new());
        assert_eq!(wrap(Face::Plain, 8, "ab", 1), ["a", "b"], "nothing fits, and it ends");
    }
}
