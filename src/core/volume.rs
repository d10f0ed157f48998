//! PV, QV, CV and the retail margin of an order line, as its commission class says. Never rounded: money is, at the award.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::money::{Rounding, round};

/// Digits kept when a refund leaves a share of a per-unit volume.
const SHARE_SCALE: u32 = 9;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VolumeRule {
    /// A share of the line's net.
    OfNet(Decimal),
    /// So much per unit sold, whatever was paid for it.
    PerUnit(Decimal),
}

impl VolumeRule {
    pub const NONE: Self = Self::OfNet(Decimal::ZERO);

    pub fn is_none(&self) -> bool {
        match self {
            Self::OfNet(share) => share.is_zero(),
            Self::PerUnit(volume) => volume.is_zero(),
        }
    }

    /// `net` of `sold` is what refunds have left; a per-unit volume shrinks in the same share.
    /// `None` when the numbers are too large for a decimal.
    pub fn of(&self, net: Decimal, sold: Decimal, quantity: Decimal) -> Option<Decimal> {
        let volume = match self {
            Self::OfNet(share) => net.checked_mul(*share)?,
            Self::PerUnit(volume) => {
                let whole = quantity.checked_mul(*volume)?;
                if net == sold {
                    whole
                } else {
                    round(whole.checked_mul(net)?.checked_div(sold)?, SHARE_SCALE, Rounding::HalfEven)
                }
            }
        };
        Some(volume.normalize())
    }
}

/// What can be summed up over lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VolumeKind {
    Net,
    Pv,
    Qv,
    Cv,
    /// What a line was sold for above its wholesale price.
    Margin,
}

/// The volumes of a commission class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolumeRules {
    /// Personal volume: what makes a distributor active.
    pub pv: VolumeRule,
    /// Qualifying volume: what counts towards ranks.
    pub qv: VolumeRule,
    /// Commissionable volume: what bonuses are paid on.
    pub cv: VolumeRule,
    /// The wholesale price; without one there is no margin.
    pub wholesale: VolumeRule,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volumes {
    pub pv: Decimal,
    pub qv: Decimal,
    pub cv: Decimal,
    /// Net above wholesale, never below zero.
    #[serde(default, skip_serializing_if = "Decimal::is_zero")]
    pub margin: Decimal,
}

impl Volumes {
    /// `net` is no volume of its own: the line knows it.
    pub fn of_kind(&self, kind: VolumeKind, net: Decimal) -> Decimal {
        match kind {
            VolumeKind::Net => net,
            VolumeKind::Pv => self.pv,
            VolumeKind::Qv => self.qv,
            VolumeKind::Cv => self.cv,
            VolumeKind::Margin => self.margin,
        }
    }
}

impl VolumeRules {
    pub const NONE: Self = Self {
        pv: VolumeRule::NONE,
        qv: VolumeRule::NONE,
        cv: VolumeRule::NONE,
        wholesale: VolumeRule::NONE,
    };

    /// By the words of the plan document.
    pub fn named(&self) -> [(&'static str, VolumeRule); 4] {
        [("pv", self.pv), ("qv", self.qv), ("cv", self.cv), ("wholesale", self.wholesale)]
    }

    pub fn of(&self, net: Decimal, sold: Decimal, quantity: Decimal) -> Option<Volumes> {
        let margin = match self.wholesale.is_none() {
            true => Decimal::ZERO,
            false => net.checked_sub(self.wholesale.of(net, sold, quantity)?)?.max(Decimal::ZERO),
        };
        Some(Volumes {
            pv: self.pv.of(net, sold, quantity)?,
            qv: self.qv.of(net, sold, quantity)?,
            cv: self.cv.of(net, sold, quantity)?,
            margin: margin.normalize(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_decimal::dec;

    #[test]
    fn a_share_of_net_follows_the_net() {
        assert_eq!(VolumeRule::OfNet(dec!(0.8)).of(dec!(50), dec!(100), dec!(2)), Some(dec!(40)));
    }

    #[test]
    fn a_volume_per_unit_shrinks_with_the_refund() {
        let rule = VolumeRule::PerUnit(dec!(30));
        assert_eq!(rule.of(dec!(100), dec!(100), dec!(2)), Some(dec!(60)));
        assert_eq!(rule.of(dec!(25), dec!(100), dec!(2)), Some(dec!(15)));
        assert_eq!(rule.of(dec!(0), dec!(100), dec!(2)), Some(dec!(0)));
        assert_eq!(rule.of(dec!(0), dec!(0), dec!(2)), Some(dec!(60)), "a free unit still has its volume");
    }

    #[test]
    fn numbers_beyond_a_decimal_are_refused() {
        assert_eq!(VolumeRule::PerUnit(Decimal::MAX).of(dec!(1), dec!(1), dec!(2)), None);
    }
}
