//! The sample company as a whole: its stores, people, catalogue and plan, and the import files for them.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::catalogue::{Product, catalogue};
use super::people::{self, Distributor};
use crate::core::plan::Plan;
use crate::stores::Platform;

#[derive(Clone, Debug, PartialEq)]
pub struct Company {
    pub stores: Vec<DemoStore>,
    pub distributors: Vec<Distributor>,
    pub products: Vec<Product>,
    /// The document that it publishes.
    pub plan: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoStore {
    pub slug: &'static str,
    pub name: &'static str,
    pub platform: Platform,
    /// All sell in the plan's currency: orders of another one would be held until they can be converted.
    pub currency: &'static str,
    pub secret: String,
    /// The places where this store's orders name a distributor, in the order in which they are asked.
    pub attribution: &'static [&'static str],
}

/// One row of the SKU import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    pub sku_id: &'static str,
    pub platform: &'static str,
    pub platform_sku: &'static str,
    pub name: &'static str,
    pub category: &'static str,
    pub commission_class: String,
}

/// The plan that the sample company publishes unless it is given another.
pub const PLAN: &str = include_str!("../../config/plans/demo.toml");

impl Company {
    /// The seed makes the stores' secrets; the company itself is always the same.
    pub fn sample(seed: u64) -> Self {
        let plan = PLAN.to_owned();
        Self { stores: stores(seed), distributors: people::distributors(), products: catalogue(), plan }
    }

    /// Currencies of its stores that a plan is not in.
    pub fn other_currencies(&self, plan: &Plan) -> Vec<&'static str> {
        let stores = self.stores.iter().map(|store| store.currency);
        stores.filter(|currency| *currency != plan.currency().code()).collect()
    }

    pub fn store(&self, platform: Platform) -> Option<&DemoStore> {
        self.stores.iter().find(|store| store.platform == platform)
    }

    /// Every product that has a commission class, once per platform.
    pub fn mappings(&self) -> Vec<Mapping> {
        let known = Plan::parse(&self.plan).map(|plan| plan.class_ids()).unwrap_or_default();
        let mapped =
            self.products.iter().filter_map(|product| Some((product, product.class.of_plan(&known)?)));
        let each = |(product, class): (&Product, &str)| {
            let mapping = |store: &DemoStore| Mapping {
                sku_id: product.sku,
                platform: store.platform.as_str(),
                platform_sku: product.sku,
                name: product.name,
                category: product.category,
                commission_class: class.to_owned(),
            };
            self.stores.iter().map(mapping).collect::<Vec<_>>()
        };
        mapped.flat_map(|(product, class)| each((product, class.as_str()))).collect()
    }

    /// The file for `import distributors`.
    pub fn distributors_csv(&self) -> Result<Vec<u8>, csv::Error> {
        let mut file = csv::Writer::from_writer(Vec::new());
        file.write_record([
            "distributor_id",
            "sponsor_id",
            "status",
            "country",
            "tax_id",
            "created_at",
            "name",
            "email",
            "rank",
        ])?;
        for person in &self.distributors {
            file.write_record([
                person.id.as_str(),
                person.sponsor_id.as_deref().unwrap_or_default(),
                person.status,
                person.country,
                &person.tax_id,
                &person.created_at.to_rfc3339(),
                &person.name,
                &person.email,
                person.rank,
            ])?;
        }
        file.into_inner().map_err(|unwritten| unwritten.into_error().into())
    }

    /// The file for `import skus`.
    pub fn mappings_csv(&self) -> Result<Vec<u8>, csv::Error> {
        let mut file = csv::Writer::from_writer(Vec::new());
        file.write_record(["sku_id", "platform", "platform_sku", "name", "category", "commission_class"])?;
        for row in self.mappings() {
            file.write_record([
                row.sku_id,
                row.platform,
                row.platform_sku,
                row.name,
                row.category,
                row.commission_class.as_str(),
            ])?;
        }
        file.into_inner().map_err(|unwritten| unwritten.into_error().into())
    }
}

fn stores(seed: u64) -> Vec<DemoStore> {
    let store = |slug, name, platform, attribution| DemoStore {
        slug,
        name,
        platform,
        currency: "USD",
        secret: secret(seed, slug),
        attribution,
    };
    vec![
        store(
            "demo-us",
            "Demo US",
            Platform::Shopify,
            &["note_attribute:ref", "line_property:ref", "discount_code", "landing_url:ref"],
        ),
        store("demo-eu", "Demo EU", Platform::WooCommerce, &["order_meta:distributor_code", "discount_code"]),
        store("demo-uk", "Demo UK", Platform::Magento, &["discount_code"]),
    ]
}

/// Hex, because WordPress rewrites secrets that contain markup characters.
fn secret(seed: u64, slug: &str) -> String {
    hex::encode(signed(&seed.to_be_bytes(), slug.as_bytes()))
}

/// HMAC-SHA256, as all three platforms sign.
pub(super) fn signed(key: &[u8], message: &[u8]) -> Vec<u8> {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return Vec::new(); // HMAC takes keys of any length.
    };
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod plan_tests;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_stores_each_with_its_own_lasting_secret() {
        let company = Company::sample(7);
        assert_eq!(company, Company::sample(7));
        let secrets: std::collections::BTreeSet<_> =
            company.stores.iter().map(|store| &store.secret).collect();
        assert_eq!(secrets.len(), 3);
        assert_ne!(secrets, Company::sample(8).stores.iter().map(|store| &store.secret).collect());
    }

    #[test]
    fn everything_for_sale_is_mapped_except_one_product() {
        let company = Company::sample(7);
        let mapped: std::collections::BTreeSet<_> = company.mappings().iter().map(|row| row.sku_id).collect();
        let missing: Vec<_> =
            company.products.iter().filter(|product| !mapped.contains(product.sku)).collect();
        let names: Vec<_> = missing.iter().map(|product| product.sku).collect();
        assert_eq!(names, ["SUPP-TRIAL-14", "GIFT-50", "GIFT-100"]);
    }

    #[test]
    fn the_import_files_have_the_columns_and_a_row_each() {
        let company = Company::sample(7);
        let people = String::from_utf8(company.distributors_csv().unwrap()).unwrap();
        assert!(
            people
                .starts_with("distributor_id,sponsor_id,status,country,tax_id,created_at,name,email,rank\n")
        );
        assert_eq!(people.lines().count(), 1 + company.distributors.len());
        let skus = String::from_utf8(company.mappings_csv().unwrap()).unwrap();
        assert!(skus.starts_with("sku_id,platform,platform_sku,name,category,commission_class\n"));
        assert_eq!(skus.lines().count(), 1 + 39 * 3);
    }
}
