//! Names and purposes in the letters that a format has. A name that a bank's form cannot hold is written as it sounds,
//! not refused: `Łukasz Žižka` becomes `Lukasz Zizka`.

use deunicode::deunicode_with_tofu;

/// Printable ASCII, no run of spaces.
pub(super) fn ascii(text: &str) -> String {
    let plain = deunicode_with_tofu(text, " ");
    let signs: String = plain.chars().map(|c| if c.is_ascii_graphic() { c } else { ' ' }).collect();
    signs.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The Latin characters that every bank of SEPA has to take.
pub(super) fn is_sepa(c: char) -> bool {
    c.is_ascii_alphanumeric() || "/-?:().,'+ ".contains(c)
}

/// At most `longest` signs of the SEPA set.
pub(super) fn sepa(text: &str, longest: usize) -> String {
    let signs: String = ascii(text)
        .chars()
        .map(|c| match c {
            '&' => '+',
            '_' | '~' => '-',
            '[' | '{' => '(',
            ']' | '}' => ')',
            ';' => ',',
            '"' | '`' => '\'',
            c if is_sepa(c) => c,
            _ => ' ',
        })
        .collect();
    let mut words = signs.split_whitespace().collect::<Vec<_>>().join(" ");
    while words.contains("//") {
        words = words.replace("//", "/");
    }
    cut(words.trim_matches(|c| c == '/' || c == ' '), longest).trim_end_matches(['/', ' ']).to_owned()
}

/// Capital letters, as banks print them on an American statement. The rules allow all of ASCII, many banks only these.
pub(super) fn nacha(text: &str, longest: usize) -> String {
    let signs: String =
        ascii(text)
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || " .,&'()/-".contains(c) {
                    c.to_ascii_uppercase()
                } else {
                    ' '
                }
            })
            .collect();
    let words = signs.split_whitespace().collect::<Vec<_>>().join(" ");
    cut(&words, longest).trim_end().to_owned()
}

/// One line of any script: no control signs.
pub(super) fn line(text: &str, longest: usize) -> String {
    let signs: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let words = signs.split_whitespace().collect::<Vec<_>>().join(" ");
    words.chars().take(longest).collect::<String>().trim_end().to_owned()
}

fn cut(text: &str, longest: usize) -> String {
    text.chars().take(longest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_as_they_sound() {
        assert_eq!(sepa("Łukasz Žižka", 70), "Lukasz Zizka");
        assert_eq!(sepa("Größe & Söhne GmbH", 70), "Grosse + Sohne GmbH");
        assert_eq!(sepa("Αθηνά", 70), "Athena");
        assert_eq!(nacha("Zoë  O’Neil", 22), "ZOE O'NEIL");
        assert!(!nacha("山田太郎", 22).is_empty());
    }

    #[test]
    fn what_the_rules_forbid_is_not_there() {
        assert_eq!(sepa("//a//b/", 70), "a/b");
        assert_eq!(sepa("a|b<c>d\u{7}e", 70), "a b c d e");
        assert_eq!(sepa(&"x".repeat(100), 70).len(), 70);
        assert_eq!(sepa("abc /def", 5), "abc");
        assert_eq!(line("a\r\nb\tc", 10), "a b c");
    }

    proptest::proptest! {
        #[test]
        fn no_sign_gets_through(text in ".*", longest in 1usize..80) {
            let written = sepa(&text, longest);
            proptest::prop_assert!(written.chars().all(is_sepa) && written.len() <= longest);
            proptest::prop_assert!(!written.starts_with('/') && !written.ends_with('/') && !written.contains("//"));
            let written = nacha(&text, longest);
            proptest::prop_assert!(written.bytes().all(|b| (0x20..0x7f).contains(&b)) && written.len() <= longest);
        }
    }
}
