//! How a product that nobody has mapped is probably mapped: what the same SKU, its siblings and its name say.
//!
//! The same SKU elsewhere goes first, then siblings of one product that agree. A similar name is a hint with its
//! score, for a person to look at: it is never applied.

use std::collections::BTreeSet;

use serde::Serialize;

/// What a mapping says, wherever it holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Mapped {
    pub sku_id: String,
    pub commission_class: String,
    pub name: String,
    pub category: String,
    /// `shopify`, `woocommerce`: where it holds.
    pub platform: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "why", rename_all = "kebab-case")]
pub enum Why {
    /// The same SKU is mapped on these platforms.
    SameSku { platforms: Vec<String> },
    /// So many other variants of the product are mapped to one class.
    Siblings { agree: usize },
    /// The name is like that of something mapped, in percent.
    Name { like: String, score: usize },
}

impl Why {
    /// Whether a person may accept it without looking at each.
    pub fn is_sure(&self) -> bool {
        !matches!(self, Self::Name { .. })
    }

    pub fn name(&self) -> &'static str {
        match self {
            Self::SameSku { .. } => "same-sku",
            Self::Siblings { .. } => "siblings",
            Self::Name { .. } => "name",
        }
    }
}

impl std::fmt::Display for Why {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::SameSku { platforms } => write!(f, "the same SKU is mapped on {}", platforms.join(", ")),
            Self::Siblings { agree: 1 } => f.write_str("another variant of the product is mapped so"),
            Self::Siblings { agree } => write!(f, "{agree} other variants of the product are mapped so"),
            Self::Name { like, score } => write!(f, "only a hint: the name is {score} % like {like:?}"),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Suggestion {
    /// Our SKU.
    pub sku_id: String,
    pub commission_class: String,
    pub name: String,
    pub category: String,
    #[serde(flatten)]
    pub why: Why,
}

/// What is known around a product that is not mapped.
#[derive(Clone, Copy, Debug, Default)]
pub struct Around<'a> {
    /// What the platform calls it.
    pub sku: Option<&'a str>,
    pub title: &'a str,
    /// Mappings of the same SKU.
    pub same_sku: &'a [Mapped],
    /// Mappings of the product's other variants.
    pub siblings: &'a [Mapped],
    /// Everything else that is mapped and has a name.
    pub named: &'a [Mapped],
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Suggested {
    pub suggestion: Option<Suggestion>,
    /// Why a person has to choose: the same SKU is mapped to different things.
    pub conflict: Option<String>,
}

pub fn suggest(around: &Around<'_>) -> Suggested {
    if let Some(first) = around.same_sku.first() {
        return same_sku(around.same_sku, first);
    }
    let suggestion = siblings(around).or_else(|| similar(around));
    Suggested { suggestion, conflict: None }
}

fn same_sku(all: &[Mapped], first: &Mapped) -> Suggested {
    let says: BTreeSet<(&str, &str)> =
        all.iter().map(|mapped| (mapped.sku_id.as_str(), mapped.commission_class.as_str())).collect();
    if says.len() > 1 {
        let says: Vec<String> = says.iter().map(|(sku, class)| format!("{sku} ({class})")).collect();
        let conflict = format!("the same SKU is mapped to different things: {}", says.join(", "));
        return Suggested { suggestion: None, conflict: Some(conflict) };
    }
    let platforms: BTreeSet<String> = all.iter().map(|mapped| mapped.platform.clone()).collect();
    let why = Why::SameSku { platforms: platforms.into_iter().collect() };
    Suggested { suggestion: Some(of(first, first.sku_id.clone(), why)), conflict: None }
}

fn of(mapped: &Mapped, sku_id: String, why: Why) -> Suggestion {
    Suggestion {
        sku_id,
        commission_class: mapped.commission_class.clone(),
        name: mapped.name.clone(),
        category: mapped.category.clone(),
        why,
    }
}

/// Their class, and a SKU of its own where it has one.
fn siblings(around: &Around<'_>) -> Option<Suggestion> {
    let first = around.siblings.first()?;
    let agree = around.siblings.iter().all(|mapped| mapped.commission_class == first.commission_class);
    let one_sku = around.siblings.iter().all(|mapped| mapped.sku_id == first.sku_id);
    let sku_id = around.sku.map(str::to_owned).or_else(|| one_sku.then(|| first.sku_id.clone()))?;
    let suggestion = of(first, sku_id, Why::Siblings { agree: around.siblings.len() });
    agree.then(|| Suggestion { name: around.title.to_owned(), ..suggestion })
}

/// Names that are less alike say nothing.
const LEAST: usize = 60;

fn similar(around: &Around<'_>) -> Option<Suggestion> {
    let title = words(around.title);
    if title.is_empty() {
        return None;
    }
    let scored = around.named.iter().map(|mapped| (likeness(&title, &words(&mapped.name)), mapped));
    let (score, mapped) = scored.max_by_key(|(score, mapped)| (*score, std::cmp::Reverse(*mapped)))?;
    (score >= LEAST).then(|| {
        let sku_id = around.sku.unwrap_or(&mapped.sku_id).to_owned();
        of(mapped, sku_id, Why::Name { like: mapped.name.clone(), score })
    })
}

/// The words of a name, whatever their order and case.
fn words(name: &str) -> String {
    let lower = name.to_lowercase();
    let words: BTreeSet<&str> =
        lower.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.into_iter().collect::<Vec<_>>().join(" ")
}

/// In percent of the longer name.
fn likeness(a: &str, b: &str) -> usize {
    let longer = a.chars().count().max(b.chars().count());
    let apart = strsim::damerau_levenshtein(a, b);
    (100 * longer.saturating_sub(apart)).checked_div(longer).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapped(sku: &str, class: &str, name: &str, platform: &str) -> Mapped {
        Mapped {
            sku_id: sku.into(),
            commission_class: class.into(),
            name: name.into(),
            category: "things".into(),
            platform: platform.into(),
        }
    }

    #[test]
    fn the_same_sku_goes_before_siblings_and_names() {
        let same =
            [mapped("A-1", "kit", "Kit", "woocommerce"), mapped("A-1", "kit", "Starter kit", "magento")];
        let siblings = [mapped("A-2", "gold", "Other", "shopify")];
        let around =
            Around { sku: Some("A1"), title: "Kit", same_sku: &same, siblings: &siblings, named: &same };
        let found = suggest(&around).suggestion.unwrap();
        assert_eq!((found.sku_id.as_str(), found.commission_class.as_str()), ("A-1", "kit"));
        assert_eq!(
            found.why,
            Why::SameSku { platforms: vec!["magento".to_owned(), "woocommerce".to_owned()] }
        );
    }

    #[test]
    fn one_sku_that_means_two_things_is_nobodys_guess() {
        let same = [mapped("A-1", "kit", "", "magento"), mapped("A-1", "gold", "", "woocommerce")];
        let siblings = [mapped("A-2", "gold", "Other", "shopify")];
        let around = Around { sku: Some("A1"), same_sku: &same, siblings: &siblings, ..Around::default() };
        let found = suggest(&around);
        assert_eq!(found.suggestion, None);
        assert!(found.conflict.unwrap().contains("A-1 (gold), A-1 (kit)"));
    }

    #[test]
    fn siblings_have_to_agree() {
        let agree = [mapped("T-S", "shirt", "Small", "shopify"), mapped("T-M", "shirt", "Medium", "shopify")];
        let around =
            Around { sku: Some("T-L"), title: "Shirt, Large", siblings: &agree, ..Around::default() };
        let found = suggest(&around).suggestion.unwrap();
        assert_eq!((found.sku_id.as_str(), found.commission_class.as_str()), ("T-L", "shirt"));
        assert!(found.why.is_sure() && found.why == Why::Siblings { agree: 2 });
        assert_eq!(suggest(&Around { sku: None, ..around }).suggestion, None, "no SKU to call it by");
        let differ = [agree[0].clone(), mapped("T-X", "gold", "", "shopify")];
        assert_eq!(suggest(&Around { siblings: &differ, ..around }).suggestion, None);
    }

    #[test]
    fn a_like_name_is_only_a_hint() {
        let named = [mapped("V-1", "food", "Vitamin C 1000", "shopify"), mapped("S-1", "soap", "Soap", "x")];
        let around = Around { sku: Some("VC"), title: "1000 vitamin-C!", named: &named, ..Around::default() };
        let found = suggest(&around).suggestion.unwrap();
        assert_eq!(found.why, Why::Name { like: "Vitamin C 1000".into(), score: 100 });
        assert!(!found.why.is_sure() && found.why.to_string().contains("only a hint"));
        assert_eq!(suggest(&Around { title: "Garden chair", ..around }).suggestion, None);
        assert_eq!(suggest(&Around { title: "!!", ..around }).suggestion, None);
    }
}
