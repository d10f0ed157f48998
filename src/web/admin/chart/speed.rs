//! Measured times against their targets. Times are floats; money never is.
#![allow(clippy::float_arithmetic, reason = "milliseconds for people to read")]

use prometheus::Histogram;
use prometheus::core::Metric;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::reports::dashboard::Posted;
use crate::web::admin::format::{Pill, Tone, count};

/// A measured time against its target.
pub struct Speed {
    pub name: String,
    pub p50: String,
    pub p99: String,
    pub target: String,
    pub verdict: Pill,
    pub samples: String,
}

/// Milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Quantiles {
    samples: u64,
    p50: Option<f64>,
    p99: Option<f64>,
}

/// As exactly as the histogram's buckets allow: the upper bound of the bucket that the quantile falls into.
pub fn quantiles(seconds: &Histogram) -> Quantiles {
    let metric = seconds.metric();
    let histogram = metric.get_histogram();
    let samples = histogram.get_sample_count();
    let below = |share: u64| {
        // ceil(samples * share / 100)
        let wanted = samples.saturating_mul(share).div_ceil(100);
        let bucket = histogram.get_bucket().iter().find(|bucket| bucket.cumulative_count() >= wanted)?;
        Some(bucket.upper_bound() * 1000.0).filter(|_| samples > 0)
    };
    Quantiles { samples, p50: below(50), p99: below(99) }
}

pub fn posted(posted: &Posted) -> Quantiles {
    Quantiles {
        samples: u64::try_from(posted.entries).unwrap_or(0),
        p50: float(posted.p50),
        p99: float(posted.p99),
    }
}

fn float(milliseconds: Option<Decimal>) -> Option<f64> {
    milliseconds.and_then(|value| value.to_f64())
}

/// `target` in milliseconds, for the 99th percentile.
pub fn of(name: &str, span: &str, measured: Quantiles, target: u32) -> Speed {
    let verdict = match measured.p99 {
        None => Pill::new(Tone::Muted, "nothing measured"),
        Some(p99) if p99 <= f64::from(target) => Pill::new(Tone::Ok, "within target"),
        Some(_) => Pill::new(Tone::Warn, "p99 above target"),
    };
    let samples = count(i64::try_from(measured.samples).unwrap_or(i64::MAX));
    Speed {
        name: name.to_owned(),
        p50: measured.p50.map_or_else(|| "–".to_owned(), milliseconds),
        p99: measured.p99.map_or_else(|| "–".to_owned(), milliseconds),
        target: format!("{target} ms"),
        verdict,
        samples: format!("{samples}, {span}"),
    }
}

fn milliseconds(value: f64) -> String {
    match value {
        small if small < 10.0 => format!("{small:.1} ms"),
        large if large < 10_000.0 => format!("{large:.0} ms"),
        seconds => format!("{:.0} s", seconds / 1000.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus::HistogramOpts;

    #[test]
    fn quantiles_are_the_bounds_of_their_buckets() {
        let histogram =
            Histogram::with_opts(HistogramOpts::new("t", "t").buckets(vec![0.001, 0.01, 0.1])).unwrap();
        assert_eq!(quantiles(&histogram), Quantiles::default());
        for _ in 0..98 {
            histogram.observe(0.0005);
        }
        histogram.observe(0.05);
        histogram.observe(0.05);
        let measured = quantiles(&histogram);
        assert_eq!((measured.p50, measured.p99), (Some(1.0), Some(100.0)));
        assert_eq!(of("x", "", measured, 120).verdict.tone, Tone::Ok);
        assert_eq!(of("x", "", measured, 50).verdict.tone, Tone::Warn);
    }
}
