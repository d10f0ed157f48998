//! WooCommerce orders in the shape in which the platform sends them, as small as a test needs.

/// One line of SKU `sku`; `refunds` are amounts given back for no named line.
pub struct Order<'a> {
    pub id: u64,
    pub sku: &'a str,
    pub net: &'a str,
    pub tax: &'a str,
    pub total: &'a str,
    pub status: &'a str,
    pub created: &'a str,
    pub modified: &'a str,
    pub distributor: Option<&'a str>,
    /// None for 0, a guest.
    pub customer: u64,
    pub refunds: &'a [&'a str],
}

impl Default for Order<'_> {
    fn default() -> Self {
        Self {
            id: 301,
            sku: "A1",
            net: "100.00",
            tax: "0.00",
            total: "100.00",
            status: "processing",
            created: "2026-11-01T09:00:00",
            modified: "2026-11-01T10:00:00",
            distributor: Some("4"),
            customer: 0,
            refunds: &[],
        }
    }
}

impl Order<'_> {
    pub fn body(&self) -> String {
        let Self { id, sku, net, tax, total, status, created, modified, customer, .. } = self;
        let meta = self
            .distributor
            .map(|who| format!(r#"{{"id":1,"key":"distributor","value":"{who}"}}"#))
            .unwrap_or_default();
        let refunds: Vec<String> = self
            .refunds
            .iter()
            .enumerate()
            .map(|(i, amount)| format!(r#"{{"id":{},"reason":"","total":"-{amount}"}}"#, 9000 + i))
            .collect();
        format!(
            r#"{{"id":{id},"parent_id":0,"status":"{status}","currency":"USD","prices_include_tax":false,
"date_created_gmt":"{created}","date_modified_gmt":"{modified}","date_paid_gmt":"{created}",
"discount_total":"0.00","discount_tax":"0.00","shipping_total":"0.00","shipping_tax":"0.00","cart_tax":"{tax}",
"total":"{total}","total_tax":"{tax}","customer_id":{customer},"number":"{id}","meta_data":[{meta}],
"line_items":[{{"id":1,"name":"Thing","product_id":77,"variation_id":0,"quantity":1,"subtotal":"{net}",
"subtotal_tax":"{tax}","total":"{net}","total_tax":"{tax}","taxes":[],"meta_data":[],"sku":"{sku}","price":{net}}}],
"tax_lines":[],"shipping_lines":[],"fee_lines":[],"coupon_lines":[],"refunds":[{}]}}"#,
            refunds.join(",")
        )
    }
}
