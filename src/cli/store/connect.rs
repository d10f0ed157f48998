//! `upline store connect`.

use chrono_tz::Tz;
use clap::Args;
use serde_json::json;

use super::given::Credentials;
use super::webhooks::tell;
use super::{as_json, explained, with_keeper, witness};
use crate::cli::{Global, Outcome, output};
use crate::connections::{Checked, ConnectionProblem, Ensured, Keeper, Wanted};
use crate::stores::Platform;

/// Connect a store to its own API: test the credentials, save them sealed, register the webhooks
///
/// A store that does not exist yet is made. Of one that is connected already only what is given changes, and the
/// stored credentials are replaced only when the new ones work.
#[derive(Args)]
#[command(after_help = "What to create in the shop first: docs/stores.md, or Stores in the admin pages.

Examples:
  upline store connect eu --platform shopify --url my-shop --client-id \"$ID\" --client-secret \"$SECRET\"
  upline store connect main --platform woocommerce --url https://shop.example --consumer-key ck_... --consumer-secret cs_...
  UPLINE_STORE_TOKEN=... upline store connect de --platform magento --url https://magento.example --zone Europe/Berlin
  upline store connect main --consumer-key ck_... --consumer-secret cs_... --dry-run")]
pub struct Connect {
    /// Short name of the store, also in the address of its webhooks
    slug: String,
    /// Of a store that does not exist yet: shopify, woocommerce or magento
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<Platform>,
    /// The shop's address; of a Shopify shop its name is enough
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    #[command(flatten)]
    credentials: Credentials,
    /// The shop may be inside a private network [default: no]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    allow_private: Option<bool>,
    /// Where the shop's days begin, such as Europe/Berlin [default: what the shop says]
    #[arg(long, value_name = "ZONE")]
    zone: Option<Tz>,
    /// For people, of a store that does not exist yet [default: what the shop says]
    #[arg(long)]
    name: Option<String>,
    /// Leave the shop's webhooks alone
    #[arg(long)]
    no_webhooks: bool,
    /// Only test, and tell what would be done
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Connect {
    pub fn run(self, global: &Global) -> anyhow::Result<Outcome> {
        let Self { slug, platform, url, credentials, allow_private, zone, name, .. } = self;
        let wanted = Wanted {
            slug,
            platform,
            name,
            base: url.unwrap_or_default(),
            given: credentials.given(),
            allow_private,
            zone,
            webhooks: self.no_webhooks.then_some(false),
        };
        with_keeper(global, |keeper, _| {
            let asking = output::working("asking the store");
            let checked = keeper.check(&wanted).map_err(|problem| explained(problem, wanted.platform));
            let outcome = checked.map(|checked| {
                asking.set_message("registering webhooks");
                let webhooks = connect(keeper, &checked, self.dry_run);
                (checked, webhooks)
            });
            asking.finish_and_clear();
            let (checked, webhooks) = outcome?;
            report(
                &checked,
                webhooks.map_err(|problem| explained(problem, Some(checked.endpoint.platform)))?,
                self.dry_run,
                self.json,
            )
        })
    }
}

/// What was done with the webhooks. `None`: they are left alone.
type Webhooks = Option<Result<Ensured, ConnectionProblem>>;

fn connect(keeper: &Keeper, checked: &Checked, dry_run: bool) -> Result<Webhooks, ConnectionProblem> {
    if dry_run {
        return Ok(checked.webhooks.then(|| keeper.preview(checked)));
    }
    let connection = keeper.save(checked, &witness(keeper, &checked.slug))?;
    Ok(checked.webhooks.then(|| keeper.tend(&connection)))
}

fn report(checked: &Checked, webhooks: Webhooks, dry_run: bool, json: bool) -> anyhow::Result<Outcome> {
    let platform = checked.endpoint.platform;
    let sound = match &webhooks {
        None => true,
        Some(Ok(ensured)) => ensured.broken().next().is_none(),
        Some(Err(_)) => false,
    };
    let outcome = if sound { Outcome::Done } else { Outcome::Failed };
    if json {
        let told = match &webhooks {
            None => json!(null),
            Some(Ok(ensured)) => json!(ensured),
            Some(Err(problem)) => as_json(problem, platform),
        };
        let facts = &checked.facts;
        output::json(&json!({
            "slug": checked.slug, "platform": platform, "base_url": checked.endpoint.base.as_str(),
            "zone": checked.zone.name(), "name": facts.name, "currency": facts.currency, "version": facts.version,
            "missing_scopes": facts.missing_scopes, "saved": !dry_run, "webhooks": told,
        }))?;
        return Ok(outcome);
    }
    tell_facts(checked)?;
    match &webhooks {
        None => output::note("Its webhooks are left alone (--no-webhooks).")?,
        Some(Ok(ensured)) => tell(ensured, dry_run)?,
        Some(Err(problem)) => {
            output::note(format_args!("its webhooks could not be registered: {problem}"))?;
            if let Some(fix) = problem.fix(platform) {
                output::note(format_args!("  {fix}"))?;
            }
        }
    }
    match dry_run {
        true => output::note("Nothing was saved (--dry-run).")?,
        false => {
            output::note(format_args!(
                "What it sold so far: upline backfill {} --since 2026-01-01",
                checked.slug
            ))?;
        }
    }
    Ok(outcome)
}

fn tell_facts(checked: &Checked) -> anyhow::Result<()> {
    let facts = &checked.facts;
    let version = facts.version.as_deref().map(|version| format!(" {version}")).unwrap_or_default();
    let currency = facts.currency.as_deref().unwrap_or("currency unknown");
    output::line(format_args!(
        "{}: {} ({}{version}) at {}, {currency}, days of {}",
        checked.slug, facts.name, checked.endpoint.platform, checked.endpoint.base, checked.zone
    ))?;
    if !facts.missing_scopes.is_empty() {
        output::note(format_args!("its credentials lack: {}", facts.missing_scopes.join(", ")))?;
    }
    Ok(())
}
