//! Charts as SVG, drawn on the server: no script, colours from the style sheet, and a table for readers who
//! cannot see the picture.
//!
//! Coordinates are floats and may be: nothing here flows back into money. The printed values come as text.
#![allow(clippy::float_arithmetic, reason = "coordinates on a screen, never money")]

pub mod speed;

use askama::Template;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

const WIDTH: f64 = 420.0;
const HEIGHT: f64 = 176.0;
const LEFT: f64 = 44.0;
const RIGHT: f64 = 8.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 24.0;

#[derive(Clone, Debug)]
pub struct Chart {
    /// Unique on the page: ids of the drawing start with it.
    pub id: &'static str,
    pub title: String,
    /// What the title cannot say: the unit and the span.
    pub about: String,
    /// Said instead of a drawing when there is nothing to draw.
    pub empty: String,
    pub labels: Vec<String>,
    pub series: Vec<Series>,
    pub target: Option<Point>,
}

#[derive(Clone, Debug)]
pub struct Series {
    pub name: String,
    /// `s1`, `s2`, `s3`: the style sheet's colours.
    pub class: &'static str,
    pub kind: Kind,
    /// One for each label; `None` leaves a gap.
    pub points: Vec<Option<Point>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Bar,
    Line,
}

#[derive(Clone, Debug)]
pub struct Point {
    at: f64,
    pub text: String,
}

impl Point {
    pub fn new(value: Decimal, text: impl Into<String>) -> Self {
        Self { at: value.to_f64().unwrap_or_default(), text: text.into() }
    }
}

impl Chart {
    pub fn is_empty(&self) -> bool {
        self.series.iter().all(|series| series.points.iter().all(Option::is_none))
    }

    /// The SVG and its table, escaped by the template that makes it.
    pub fn drawing(&self) -> String {
        let scale = Scale::around(self);
        let drawing = Drawing {
            chart: self,
            width: WIDTH,
            height: HEIGHT,
            left: LEFT,
            right: WIDTH - RIGHT,
            bottom: HEIGHT - BOTTOM,
            zero: px(scale.y(0.0)),
            ticks: scale.ticks(),
            names: self.names(),
            marks: self.series.iter().map(|series| marks(series, &scale, self.labels.len())).collect(),
            target: self.target.as_ref().map(|target| px(scale.y(target.at))),
            hits: self.hits(),
        };
        drawing.render().unwrap_or_default()
    }

    /// First, middle and last label: more would collide on a phone.
    fn names(&self) -> Vec<Name> {
        let count = self.labels.len();
        let wanted = [(0, "start"), (count / 2, "middle"), (count.saturating_sub(1), "end")];
        let shown = if count > 4 { &wanted[..] } else { &wanted[..1] };
        shown
            .iter()
            .filter_map(|(at, anchor)| {
                let text = self.labels.get(*at)?.clone();
                let x = match *anchor {
                    "start" => LEFT,
                    "end" => WIDTH - RIGHT,
                    _ => middle(*at, count),
                };
                Some(Name { x: px(x), anchor, text })
            })
            .collect()
    }

    /// One invisible stripe a label, whose tooltip lists every series.
    fn hits(&self) -> Vec<Hit> {
        let count = self.labels.len();
        let width = band(count);
        let stripe = |(at, label): (usize, &String)| {
            let values: Vec<String> = self
                .series
                .iter()
                .filter_map(|series| {
                    let point = series.points.get(at)?.as_ref()?;
                    Some(format!("{}: {}", series.name, point.text))
                })
                .collect();
            Hit {
                x: px(middle(at, count) - width / 2.0),
                width: px(width),
                title: format!("{label} · {}", values.join(" · ")),
            }
        };
        self.labels.iter().enumerate().map(stripe).collect()
    }

    fn cell(&self, series: &Series, at: &usize) -> String {
        series.points.get(*at).and_then(Option::as_ref).map(|point| point.text.clone()).unwrap_or_default()
    }
}

#[derive(Template)]
#[template(path = "admin/chart.html")]
struct Drawing<'a> {
    chart: &'a Chart,
    width: f64,
    height: f64,
    left: f64,
    right: f64,
    bottom: f64,
    zero: String,
    ticks: Vec<Tick>,
    names: Vec<Name>,
    marks: Vec<Marks>,
    target: Option<String>,
    hits: Vec<Hit>,
}

struct Tick {
    y: String,
    text_y: String,
    text: String,
}

struct Name {
    x: String,
    anchor: &'static str,
    text: String,
}

struct Hit {
    x: String,
    width: String,
    title: String,
}

struct Marks {
    class: &'static str,
    bars: Vec<Bar>,
    line: String,
    area: String,
    dots: Vec<(String, String)>,
}

struct Bar {
    x: String,
    y: String,
    width: String,
    height: String,
}

/// The vertical axis: from a round number below everything to a round number above it, with zero inside.
struct Scale {
    low: f64,
    high: f64,
    step: f64,
}

impl Scale {
    fn around(chart: &Chart) -> Self {
        let values = || {
            let drawn = chart.series.iter().flat_map(|series| series.points.iter().flatten());
            drawn.chain(chart.target.iter()).map(|point| point.at)
        };
        let high = values().fold(0.0, f64::max);
        let low = values().fold(0.0, f64::min);
        let step = round_step((high - low) / 4.0);
        Self { low: (low / step).floor() * step, high: ((high / step).ceil() * step).max(step), step }
    }

    fn y(&self, value: f64) -> f64 {
        let room = HEIGHT - TOP - BOTTOM;
        TOP + room * (self.high - value) / (self.high - self.low)
    }

    fn ticks(&self) -> Vec<Tick> {
        let mut ticks = Vec::new();
        let mut value = self.low;
        while value <= self.high + self.step / 2.0 {
            let y = self.y(value);
            ticks.push(Tick { y: px(y), text_y: px(y + 3.5), text: compact(value, self.step) });
            value += self.step;
        }
        ticks
    }
}

/// 1, 2 or 5 times a power of ten, at least `rough`.
fn round_step(rough: f64) -> f64 {
    if rough <= 0.0 || !rough.is_finite() {
        return 1.0;
    }
    let power = 10f64.powf(rough.log10().floor());
    let lead = [1.0, 2.0, 5.0].into_iter().find(|lead| lead * power >= rough * 0.999).unwrap_or(10.0);
    lead * power
}

fn compact(value: f64, step: f64) -> String {
    let (divisor, unit) = match step.max(value.abs()) {
        size if size >= 1e9 => (1e9, "bn"),
        size if size >= 1e6 => (1e6, "M"),
        size if size >= 1e3 => (1e3, "k"),
        _ => (1.0, ""),
    };
    let digits = if step / divisor >= 1.0 { 0 } else { 1 + usize::from(step / divisor < 0.1) };
    if value.abs() < step / 2.0 { "0".to_owned() } else { format!("{:.digits$}{unit}", value / divisor) }
}

fn marks(series: &Series, scale: &Scale, count: usize) -> Marks {
    let points: Vec<(f64, f64)> = series
        .points
        .iter()
        .enumerate()
        .filter_map(|(at, point)| Some((middle(at, count), scale.y(point.as_ref()?.at))))
        .collect();
    let mut marks = Marks {
        class: series.class,
        bars: Vec::new(),
        line: String::new(),
        area: String::new(),
        dots: Vec::new(),
    };
    if series.kind == Kind::Bar {
        let width = band(count) * 0.72;
        marks.bars = points.iter().map(|(x, y)| bar(*x, *y, width, scale.y(0.0))).collect();
        return marks;
    }
    marks.line = path(&points);
    if let (Some(first), Some(last)) = (points.first(), points.last()) {
        let ground = scale.y(0.0);
        marks.area =
            format!("{} L{} {} L{} {} Z", marks.line, px(last.0), px(ground), px(first.0), px(ground));
    }
    if points.len() < 3 {
        marks.dots = points.iter().map(|(x, y)| (px(*x), px(*y))).collect();
    }
    marks
}

fn bar(x: f64, y: f64, width: f64, ground: f64) -> Bar {
    let (top, bottom) = if y < ground { (y, ground) } else { (ground, y) };
    Bar { x: px(x - width / 2.0), y: px(top), width: px(width), height: px(bottom - top) }
}

fn path(points: &[(f64, f64)]) -> String {
    let steps = points.iter().enumerate().map(|(at, (x, y))| {
        let pen = if at == 0 { "M" } else { "L" };
        format!("{pen}{} {}", px(*x), px(*y))
    });
    steps.collect::<Vec<_>>().join(" ")
}

fn band(count: usize) -> f64 {
    (WIDTH - LEFT - RIGHT) / size(count.max(1))
}

fn middle(at: usize, count: usize) -> f64 {
    LEFT + band(count) * (size(at) + 0.5)
}

fn size(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

fn px(value: f64) -> String {
    format!("{value:.1}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(values: &[Option<i64>]) -> Chart {
        let points = values
            .iter()
            .map(|value| value.map(|number| Point::new(Decimal::from(number), format!("{number} <b>"))));
        Chart {
            id: "t",
            title: "Orders".into(),
            about: "a day".into(),
            empty: "none".into(),
            labels: (0..values.len()).map(|day| format!("day {day}")).collect(),
            series: vec![Series {
                name: "orders".into(),
                class: "s1",
                kind: Kind::Bar,
                points: points.collect(),
            }],
            target: None,
        }
    }

    #[test]
    fn ticks_are_round_and_enclose_the_values() {
        let scale = Scale::around(&chart(&[Some(3), Some(1730)]));
        let shown: Vec<String> = scale.ticks().into_iter().map(|tick| tick.text).collect();
        assert_eq!(shown, ["0", "500", "1.0k", "1.5k", "2.0k"]);
        let scale = Scale::around(&chart(&[Some(-40), Some(90)]));
        assert!(scale.low <= -40.0 && scale.high >= 90.0);
        assert!(scale.ticks().iter().any(|tick| tick.text == "0"));
    }

    #[test]
    fn bars_stand_on_zero_and_values_are_escaped() {
        let drawing = chart(&[Some(10), None, Some(20)]).drawing();
        assert_eq!(drawing.matches("class=\"bar\"").count(), 2);
        assert!(drawing.contains("<td>20 &#60;b&#62;</td>"), "{drawing}");
        assert!(!drawing.contains("NaN"));
    }

    #[test]
    fn nothing_to_draw_is_said() {
        assert!(chart(&[]).is_empty());
        assert!(chart(&[None]).is_empty());
        assert!(!chart(&[Some(0)]).is_empty());
        assert!(!chart(&[Some(0)]).drawing().contains("NaN"));
    }
}
