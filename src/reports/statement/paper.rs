//! A statement on paper: for each currency what stood before, what each kind of entry comes to, what stands after, and
//! the lines. The same statement gives the same bytes.

use super::{Amounts, Column, LINES, Line, Purse, Statement, kind_title, money};
use crate::pdf::{Face, HEIGHT, POINT, Paper, WIDTH, wrap};

const MARGIN: i16 = 40 * POINT;
const RIGHT: i16 = WIDTH - MARGIN;
const TOP: i16 = HEIGHT - MARGIN;
const BOTTOM: i16 = MARGIN + 10 * POINT;
/// Of one line of text in a table.
const STEP: i16 = 11 * POINT;
/// Of a column of amounts.
const AMOUNT: i16 = 70 * POINT;
/// Of the dates before the words.
const DATE: i16 = 56 * POINT;
const TEXT: (Face, i16) = (Face::Plain, 8);
const STRONG: (Face, i16) = (Face::Bold, 8);

/// The PDF.
pub fn paper(statement: &Statement) -> Vec<u8> {
    let title = format!("Statement {} {}", statement.distributor, statement.span.name());
    let mut sheet = Sheet { paper: Paper::new(&title), y: TOP, columns: vec![] };
    sheet.head(statement);
    for purse in &statement.purses {
        sheet.columns = purse.columns().collect();
        sheet.summary(purse);
        let lines: Vec<&Line> =
            statement.lines.iter().filter(|line| line.currency == purse.currency).collect();
        sheet.lines(purse, &lines);
    }
    let proof = match &statement.head {
        Some(head) => format!("Chain head {} {}", head.seq, head.hash),
        None => String::new(),
    };
    sheet.paper.finish(|number, of| (proof.clone(), format!("{title}, page {number} of {of}")), MARGIN)
}

struct Sheet<'a> {
    paper: Paper,
    y: i16,
    columns: Vec<&'a Column>,
}

impl Sheet<'_> {
    fn head(&mut self, statement: &Statement) {
        self.paper.text((Face::Bold, 16), MARGIN, self.y - 16 * POINT, "Statement");
        self.y -= 34 * POINT;
        let who = match &statement.name {
            Some(name) => format!("Distributor {}, {name}", statement.distributor),
            None => format!("Distributor {}", statement.distributor),
        };
        let span = &statement.span;
        let days = format!("{} to {} (UTC)", span.first_day(), span.last_day());
        let when = match &span.period {
            Some(period) => format!("Period {period}: posted {days}"),
            None => format!("Posted {days}"),
        };
        for line in [who, when] {
            self.paper.text((Face::Plain, 10), MARGIN, self.y, &line);
            self.y -= 15 * POINT;
        }
        if statement.purses.is_empty() {
            self.row(TEXT, "", "Nothing was ever posted on these accounts.", None);
        }
    }

    fn summary(&mut self, purse: &Purse) {
        self.title(&format!("{}: summary", purse.currency));
        let told = |amounts: &Amounts| Some((amounts.clone(), purse.currency.clone(), true));
        self.row(STRONG, "", "Before", told(&purse.opening));
        for sum in &purse.sums {
            let title = kind_title(&sum.kind);
            let about =
                if sum.bonus.is_empty() { title.to_owned() } else { format!("{title}: {}", sum.bonus) };
            let amounts = Some((sum.amounts.clone(), purse.currency.clone(), false));
            self.row(TEXT, "", &about, amounts);
        }
        self.row(STRONG, "", "After", told(&purse.closing));
    }

    fn lines(&mut self, purse: &Purse, lines: &[&Line]) {
        self.title(&format!("{}: entries", purse.currency));
        if purse.lines == 0 {
            self.row(TEXT, "", "None in this time.", None);
        }
        for line in lines {
            let day = line.at.format("%Y-%m-%d").to_string();
            let amounts = Some((line.amounts.clone(), purse.currency.clone(), false));
            self.row(TEXT, &day, &line.about, amounts);
        }
        let shown = i64::try_from(lines.len()).unwrap_or(i64::MAX);
        if shown < purse.lines {
            let told = format!(
                "{shown} of {} entries are shown: a statement prints at most {LINES}. The CSV has all of them.",
                purse.lines
            );
            self.row(STRONG, "", &told, None);
        }
    }

    /// Above a table, with the names of its columns; never alone at the foot of a page.
    fn title(&mut self, text: &str) {
        if self.y < BOTTOM + 5 * STEP {
            self.turn();
        }
        self.y -= 8 * POINT;
        self.paper.text((Face::Bold, 11), MARGIN, self.y - 6 * POINT, text);
        self.y -= 10 * POINT + STEP;
        self.names();
    }

    fn names(&mut self) {
        for (column, x) in self.columns.iter().rev().zip(edges()) {
            self.paper.text_before(STRONG, x, self.y, column.title);
        }
        self.paper.rule(MARGIN, RIGHT, self.y - 3 * POINT);
        self.y -= STEP + 2 * POINT;
    }

    fn turn(&mut self) {
        self.paper.turn();
        self.y = TOP - STEP;
    }

    /// Amounts with their currency, and whether a zero is worth its ink.
    fn row(&mut self, font: (Face, i16), day: &str, about: &str, amounts: Option<(Amounts, String, bool)>) {
        let count = i16::try_from(self.columns.len()).unwrap_or(0);
        let taken = if amounts.is_some() { count.saturating_mul(AMOUNT) } else { 0 };
        let room = i32::from(RIGHT) - i32::from(MARGIN) - i32::from(DATE) - i32::from(taken);
        let words = wrap(font.0, font.1, about, room - i32::from(8 * POINT));
        let height = STEP.saturating_mul(i16::try_from(words.len()).unwrap_or(1));
        if self.y - height < BOTTOM {
            self.turn();
            self.names();
        }
        self.paper.text(font, MARGIN, self.y, day);
        if let Some((amounts, currency, zeros)) = amounts {
            let columns: Vec<&Column> = self.columns.iter().rev().copied().collect();
            for (column, x) in columns.into_iter().zip(edges()) {
                let amount = amounts.of(column.account);
                if zeros || !amount.is_zero() {
                    self.paper.text_before(font, x, self.y, &money(amount, &currency));
                }
            }
        }
        for line in words {
            self.paper.text(font, MARGIN + DATE, self.y, &line);
            self.y -= STEP;
        }
    }
}

/// Right edges of the columns of amounts, from the last one on.
fn edges() -> impl Iterator<Item = i16> {
    (0..).map(|place: i16| RIGHT.saturating_sub(place.saturating_mul(AMOUNT)))
}
