//! What the sample company sells: about forty products in five commission classes, with each store's own ids.

use rust_decimal::Decimal;

/// One product of the company.
#[derive(Clone, Debug, PartialEq)]
pub struct Product {
    pub sku: &'static str,
    pub name: &'static str,
    pub category: &'static str,
    pub class: Class,
    pub price: Decimal,
    /// Position in the catalogue: the stores derive their product ids from it.
    pub position: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    Supplement,
    Beauty,
    StarterKit,
    Accessory,
    /// On sale, but nobody has mapped it yet: its orders are held until somebody does.
    Unmapped,
    /// A liability, never revenue; needs no mapping.
    GiftCard,
}

impl Class {
    /// The class of a plan that these products go to: the one of the same name, else each another of those that
    /// there are. `known` are the plan's.
    pub fn of_plan(self, known: &[String]) -> Option<String> {
        let name = self.name()?;
        let same = known.iter().find(|class| *class == name);
        let at = [Self::Supplement, Self::Beauty, Self::StarterKit, Self::Accessory]
            .iter()
            .position(|c| *c == self);
        let other = || at?.checked_rem(known.len()).and_then(|at| known.get(at));
        Some(same.or_else(other).map_or(name, String::as_str).to_owned())
    }

    /// The commission class as the company's own plan names it.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Supplement => Some("supplement"),
            Self::Beauty => Some("beauty"),
            Self::StarterKit => Some("starter_kit"),
            Self::Accessory => Some("accessory"),
            Self::Unmapped | Self::GiftCard => None,
        }
    }
}

const PRODUCTS: [(&str, &str, &str, Class, i64); 42] = [
    ("SUPP001", "Daily Essentials 90 ct", "Supplements", Class::Supplement, 9900),
    ("SUPP002", "Omega-3 Gold", "Supplements", Class::Supplement, 3495),
    ("SUPP003", "Vitamin D3 + K2", "Supplements", Class::Supplement, 2190),
    ("SUPP004", "Magnesium Night", "Supplements", Class::Supplement, 2750),
    ("SUPP005", "Greens Café Powder", "Supplements", Class::Supplement, 5995),
    ("SUPP006", "Collagen Plus", "Supplements", Class::Supplement, 6450),
    ("SUPP007", "Probiotic 50", "Supplements", Class::Supplement, 4225),
    ("SUPP008", "Turmeric & Pepper", "Supplements", Class::Supplement, 2899),
    ("SUPP009", "Iron Gentle", "Supplements", Class::Supplement, 1875),
    ("SUPP010", "Zinc + C Lozenges", "Supplements", Class::Supplement, 1333),
    ("SUPP011", "Plant Protein Vanilla 500 g", "Supplements", Class::Supplement, 3999),
    ("SUPP012", "Plant Protein Kakao 500 g", "Supplements", Class::Supplement, 3999),
    ("SUPP013", "Sleep Drops", "Supplements", Class::Supplement, 2450),
    ("SUPP014", "Joint Care 120 ct", "Supplements", Class::Supplement, 5490),
    ("SUPP015", "Multi for Kids", "Supplements", Class::Supplement, 1999),
    ("SUPP016", "Energy Sticks 30 ct", "Supplements", Class::Supplement, 4450),
    ("BEAUTY01", "Cleansing Balm", "Skin", Class::Beauty, 3200),
    ("BEAUTY02", "Night Serum 30 ml", "Skin", Class::Beauty, 6500),
    ("BEAUTY03", "Day Cream SPF 30", "Skin", Class::Beauty, 4800),
    ("BEAUTY04", "Eye Gel", "Skin", Class::Beauty, 3650),
    ("BEAUTY05", "Clay Mask", "Skin", Class::Beauty, 2795),
    ("BEAUTY06", "Hand Cream Olive", "Body", Class::Beauty, 1250),
    ("BEAUTY07", "Body Oil Neroli", "Body", Class::Beauty, 3375),
    ("BEAUTY08", "Shampoo Bar", "Hair", Class::Beauty, 1490),
    ("BEAUTY09", "Hair Mask Argan", "Hair", Class::Beauty, 2665),
    ("BEAUTY10", "Lip Tint Rosé", "Make-up", Class::Beauty, 1599),
    ("BEAUTY11", "Mineral Powder", "Make-up", Class::Beauty, 3850),
    ("BEAUTY12", "Mascara Long", "Make-up", Class::Beauty, 2199),
    ("KIT-STARTER-001", "Starter Kit", "Kits", Class::StarterKit, 14900),
    ("KIT-STARTER-002", "Starter Kit Skin", "Kits", Class::StarterKit, 19900),
    ("KIT-STARTER-003", "Business Builder Kit", "Kits", Class::StarterKit, 34900),
    ("ACC-SHAKER", "Shaker 600 ml", "Accessories", Class::Accessory, 1295),
    ("ACC-BAG", "Cotton Bag", "Accessories", Class::Accessory, 900),
    ("ACC-BRUSH", "Powder Brush", "Accessories", Class::Accessory, 1850),
    ("ACC-SAMPLE-1/3", "Sample Set 1/3", "Accessories", Class::Accessory, 333),
    ("ACC-BOOK", "Recipe Book", "Accessories", Class::Accessory, 2450),
    ("ACC-PILLBOX", "Pill Box", "Accessories", Class::Accessory, 695),
    ("ACC-BOTTLE", "Glass Bottle", "Accessories", Class::Accessory, 2295),
    ("ACC-TOWEL", "Gym Towel", "Accessories", Class::Accessory, 1799),
    ("SUPP-TRIAL-14", "Greens Café Powder, 14-day trial", "Supplements", Class::Unmapped, 1900),
    ("GIFT-50", "Gift Card 50", "Gift cards", Class::GiftCard, 5000),
    ("GIFT-100", "Gift Card 100", "Gift cards", Class::GiftCard, 10000),
];

/// All products, in a fixed order.
pub fn catalogue() -> Vec<Product> {
    (1u64..)
        .zip(PRODUCTS)
        .map(|(position, (sku, name, category, class, cents))| Product {
            sku,
            name,
            category,
            class,
            price: Decimal::new(cents, 2),
            position,
        })
        .collect()
}
