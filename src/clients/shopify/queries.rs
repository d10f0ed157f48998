//! What is asked of the Admin GraphQL API, operation by operation.
//!
//! Money is asked for in the shop's currency only. A list inside an order brings the beginning that nearly all
//! orders fit in, and says whether it goes on.

use std::sync::LazyLock;

/// The version that everything here is written for; it is answered until October 2027.
pub const VERSION: &str = "2026-10";

const MONEY: &str = "{ shopMoney { amount currencyCode } }";
const PAGE: &str = "pageInfo { hasNextPage endCursor }";

pub const SHOP: &str = "query Shop {
  shop { name currencyCode ianaTimezone }
  currentAppInstallation { accessScopes { handle } }
}";

/// What an order is besides its lists.
fn head() -> String {
    let sets = [
        "subtotalPriceSet",
        "currentSubtotalPriceSet",
        "totalPriceSet",
        "currentTotalPriceSet",
        "totalTaxSet",
        "currentTotalTaxSet",
        "totalTipReceivedSet",
        "totalShippingPriceSet",
        "currentShippingPriceSet",
        "originalTotalDutiesSet",
        "currentTotalDutiesSet",
        "originalTotalAdditionalFeesSet",
        "currentTotalAdditionalFeesSet",
    ];
    let sets: Vec<String> = sets.iter().map(|set| format!("{set} {MONEY}")).collect();
    format!(
        "id name currencyCode createdAt processedAt updatedAt cancelledAt displayFinancialStatus test
    taxesIncluded {}
    discountCodes tags customAttributes {{ key value }} customer {{ id tags }}
    customerJourneySummary {{
      firstVisit {{ landingPage referrerUrl }} lastVisit {{ landingPage referrerUrl }}
    }}",
        sets.join(" ")
    )
}

fn line() -> String {
    format!(
        "id title name sku quantity currentQuantity isGiftCard product {{ id }} variant {{ id }}
      originalUnitPriceSet {MONEY} discountAllocations {{ allocatedAmountSet {MONEY} }}
      taxLines {{ priceSet {MONEY} }} customAttributes {{ key value }}"
    )
}

fn shipping() -> String {
    format!("id isRemoved originalPriceSet {MONEY} discountAllocations {{ allocatedAmountSet {MONEY} }}")
}

fn refund_line() -> String {
    format!("id quantity lineItem {{ id }} subtotalSet {MONEY} totalTaxSet {MONEY}")
}

fn refund_shipping() -> String {
    format!("id subtotalAmountSet {MONEY} taxAmountSet {MONEY}")
}

const AGREEMENT: &str = "__typename id reason happenedAt
      ... on RefundAgreement { refund { id } } ... on ReturnAgreement { return { id } }";

fn sale() -> String {
    format!(
        "__typename id actionType lineType quantity totalAmount {MONEY} totalTaxAmount {MONEY}
        totalDiscountAmountBeforeTaxes {MONEY} totalDiscountAmountAfterTaxes {MONEY}
        ... on ProductSale {{ lineItem {{ id }} }} ... on GiftCardSale {{ lineItem {{ id }} }}
        ... on TipSale {{ lineItem {{ id }} }}"
    )
}

/// An order with the beginning of each of its lists.
fn order() -> String {
    format!(
        "{}
    lineItems(first: 20) {{ nodes {{ {} }} {PAGE} }}
    shippingLines(first: 5) {{ nodes {{ {} }} {PAGE} }}
    refunds {{
      id createdAt totalRefundedSet {MONEY}
      refundLineItems(first: 10) {{ nodes {{ {} }} {PAGE} }}
      refundShippingLines(first: 5) {{ nodes {{ {} }} {PAGE} }}
    }}
    agreements(first: 5) {{
      edges {{ cursor node {{ {AGREEMENT} sales(first: 20) {{ nodes {{ {} }} {PAGE} }} }} }}
      {PAGE}
    }}",
        head(),
        line(),
        shipping(),
        refund_line(),
        refund_shipping(),
        sale()
    )
}

pub static ORDERS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "query Orders($query: String!, $sortKey: OrderSortKeys!, $first: Int!, $after: String) {{
  orders(query: $query, sortKey: $sortKey, first: $first, after: $after) {{ nodes {{ {} }} {PAGE} }}
  ordersCount(query: $query, limit: null) {{ count precision }}
}}",
        order()
    )
});

pub static ORDER: LazyLock<String> =
    LazyLock::new(|| format!("query Order($id: ID!) {{ order(id: $id) {{ {} }} }}", order()));

/// The rest of one list of an order or of a refund; which one is told by the switch that is on. Sales are read on
/// as those of the one agreement after a cursor, as agreements cannot be asked for by id.
pub static ORDER_PARTS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "query OrderParts(
  $id: ID!, $first: Int!, $after: String, $salesAfter: String, $lineItems: Boolean = false,
  $shippingLines: Boolean = false, $agreements: Boolean = false, $refundLineItems: Boolean = false,
  $refundShippingLines: Boolean = false
) {{
  node(id: $id) {{
    id
    ... on Order {{
      updatedAt
      lineItems(first: $first, after: $after) @include(if: $lineItems) {{ nodes {{ {} }} {PAGE} }}
      shippingLines(first: $first, after: $after) @include(if: $shippingLines) {{ nodes {{ {} }} {PAGE} }}
      agreements(first: $first, after: $after) @include(if: $agreements) {{
        edges {{
          cursor node {{ {AGREEMENT} sales(first: 50, after: $salesAfter) {{ nodes {{ {} }} {PAGE} }} }}
        }}
        {PAGE}
      }}
    }}
    ... on Refund {{
      order {{ updatedAt }}
      refundLineItems(first: $first, after: $after) @include(if: $refundLineItems) {{
        nodes {{ {} }} {PAGE}
      }}
      refundShippingLines(first: $first, after: $after) @include(if: $refundShippingLines) {{
        nodes {{ {} }} {PAGE}
      }}
    }}
  }}
}}",
        line(),
        shipping(),
        sale(),
        refund_line(),
        refund_shipping()
    )
});

pub const RUN_BULK: &str = "mutation BulkOrders($query: String!) {
  bulkOperationRunQuery(query: $query, groupObjects: true) {
    bulkOperation { id status } userErrors { field message code }
  }
}";

pub const BULK: &str = "query BulkOperation($id: ID!) {
  bulkOperation(id: $id) { id status errorCode objectCount rootObjectCount fileSize url partialDataUrl }
}";

/// Five connections, two levels deep: no more is allowed, and none inside a list, so the lines of refunds are
/// not among it.
pub fn bulk_orders(filter: &str) -> String {
    format!(
        "{{ orders(query: \"{filter}\") {{ edges {{ node {{ __typename {} refunds {{ id }}
    lineItems {{ edges {{ node {{ __typename {} }} }} }}
    shippingLines {{ edges {{ node {{ __typename {} }} }} }}
    agreements {{ edges {{ node {{ {AGREEMENT} sales {{ edges {{ node {{ {} }} }} }} }} }} }}
  }} }} }} }}",
        head(),
        line(),
        shipping(),
        sale()
    )
}

const VARIANT: &str = "id sku title inventoryQuantity inventoryItem { id tracked }";

pub static PRODUCTS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "query Products($query: String, $first: Int!, $after: String) {{
  products(query: $query, sortKey: UPDATED_AT, first: $first, after: $after) {{
    nodes {{ id title updatedAt variants(first: 30) {{ nodes {{ {VARIANT} }} {PAGE} }} }}
    {PAGE}
  }}
}}"
    )
});

pub static PRODUCT_PARTS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "query ProductParts($id: ID!, $first: Int!, $after: String) {{
  node(id: $id) {{
    id ... on Product {{ variants(first: $first, after: $after) {{ nodes {{ {VARIANT} }} {PAGE} }} }}
  }}
}}"
    )
});

const METAFIELD: &str = "namespace key type value";

pub static CUSTOMERS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "query Customers($query: String, $first: Int!, $after: String) {{
  customers(query: $query, sortKey: UPDATED_AT, first: $first, after: $after) {{
    nodes {{
      id createdAt updatedAt tags metafields(first: 20) {{ nodes {{ {METAFIELD} }} {PAGE} }}
    }}
    {PAGE}
  }}
}}"
    )
});

pub static CUSTOMER_PARTS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "query CustomerParts($id: ID!, $first: Int!, $after: String) {{
  node(id: $id) {{
    id ... on Customer {{ metafields(first: $first, after: $after) {{ nodes {{ {METAFIELD} }} {PAGE} }} }}
  }}
}}"
    )
});

pub const SUBSCRIPTIONS: &str = "query WebhookSubscriptions($after: String) {
  webhookSubscriptions(first: 100, after: $after) {
    nodes { id topic uri } pageInfo { hasNextPage endCursor }
  }
}";

pub const SUBSCRIBE: &str = "mutation WebhookSubscriptionCreate(
  $topic: WebhookSubscriptionTopic!, $webhookSubscription: WebhookSubscriptionInput!
) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: $webhookSubscription) {
    webhookSubscription { id topic uri } userErrors { field message }
  }
}";

pub const RESUBSCRIBE: &str = "mutation WebhookSubscriptionUpdate(
  $id: ID!, $webhookSubscription: WebhookSubscriptionInput!
) {
  webhookSubscriptionUpdate(id: $id, webhookSubscription: $webhookSubscription) {
    webhookSubscription { id topic uri } userErrors { field message }
  }
}";

pub const UNSUBSCRIBE: &str = "mutation WebhookSubscriptionDelete($id: ID!) {
  webhookSubscriptionDelete(id: $id) { deletedWebhookSubscriptionId userErrors { field message } }
}";
