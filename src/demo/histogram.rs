//! Percentiles from a histogram of `/metrics`, between two readings.
//!
//! Within a step of the histogram values are taken to be spread evenly, as Prometheus does.

use rust_decimal::Decimal;

/// How many values were at most so large, in rising steps; the last step has no bound.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    steps: Vec<(Option<Decimal>, u64)>,
}

impl Histogram {
    /// Reads `<name>_bucket` without labels of its own from the text format.
    pub fn read(metrics: &str, name: &str) -> Self {
        let prefix = format!("{name}_bucket{{le=\"");
        let steps = metrics.lines().filter_map(|line| {
            let (bound, count) = line.strip_prefix(&prefix)?.split_once("\"} ")?;
            Some((bound.parse().ok(), count.trim().parse().ok()?))
        });
        Self { steps: steps.collect() }
    }

    /// What was added after an `earlier` reading.
    pub fn since(&self, earlier: &Self) -> Self {
        let before =
            |bound| earlier.steps.iter().find(|(known, _)| *known == bound).map_or(0, |(_, count)| *count);
        Self {
            steps: self
                .steps
                .iter()
                .map(|(bound, count)| (*bound, count.saturating_sub(before(*bound))))
                .collect(),
        }
    }

    pub fn count(&self) -> u64 {
        self.steps.last().map_or(0, |(_, count)| *count)
    }

    /// Zero when there are no values; the largest bound for values beyond it.
    pub fn percentile(&self, percent: u32) -> Decimal {
        if self.count() == 0 {
            return Decimal::ZERO;
        }
        let rank = Decimal::from(self.count()) * Decimal::from(percent) / Decimal::ONE_HUNDRED;
        let (mut low, mut below) = (Decimal::ZERO, 0);
        for (bound, count) in &self.steps {
            let Some(bound) = bound else { return low };
            if Decimal::from(*count) >= rank {
                let inside = Decimal::from(count - below);
                let part =
                    if inside.is_zero() { Decimal::ONE } else { (rank - Decimal::from(below)) / inside };
                return low + (bound - low) * part;
            }
            (low, below) = (*bound, *count);
        }
        low
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "# TYPE x_seconds histogram\nx_seconds_bucket{le=\"0.1\"} 10\nx_seconds_bucket{le=\"0.2\"} 10\n\
                          x_seconds_bucket{le=\"+Inf\"} 10\nx_seconds_sum 0.5\nx_seconds_count 10\n";
    const AFTER: &str = "x_seconds_bucket{le=\"0.1\"} 60\nx_seconds_bucket{le=\"0.2\"} 109\n\
                         x_seconds_bucket{le=\"+Inf\"} 110\nx_seconds_sum 9\nx_seconds_count 110\n";

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn percentiles_of_what_was_added() {
        let added = Histogram::read(AFTER, "x_seconds").since(&Histogram::read(BEFORE, "x_seconds"));
        assert_eq!(added.count(), 100);
        assert_eq!(added.percentile(50), dec("0.1"));
        assert_eq!(added.percentile(25), dec("0.05"));
        assert_eq!(added.percentile(99).round_dp(6), dec("0.2"));
        assert_eq!(added.percentile(100), dec("0.2"), "beyond the last bound");
        assert_eq!(added.since(&added).percentile(50), Decimal::ZERO);
        assert_eq!(Histogram::read(AFTER, "y_seconds").percentile(50), Decimal::ZERO);
    }
}
