//! `upline`: from cart to commission.
//!
//! A store's signed webhook comes in, is durable before it is answered, becomes an order, pays every
//! distributor above it exactly what the plan says, and stands in a ledger that can prove every cent.
//!
//! # The idea in six sentences
//!
//! 1. [`core`] is the product: plain values in, plain values out; no I/O, no clock, no database, no async.
//! 2. Every other room loads values, calls one core function, and writes the result in one database transaction.
//! 3. Money moves inside a database transaction; work moves through events: a ledger posting is a direct call
//!    beside the thing it records, the next step of the pipeline is an outbox row.
//! 4. The outbox row is the event; the in-process channel is only a doorbell.
//! 5. Everything may run twice, in any order, in batches: recompute what should be, compare with what was
//!    posted, post only the difference.
//! 6. Nothing posted is ever changed; a correction is an entry of its own.
//!
//! # The way of an order
//!
//! ```text
//! web::webhooks     verify the signature on the wire bytes                   stores::verify       pure
//! ingest::Intake    many callers, one COMMIT, then the answer                ingest::accept
//!      | delivery_accepted
//! orders            parse, fold into the order's state, assess               stores::parse, core::assess
//!      | order_recorded                     held? -> a person -> order_review
//! commissions       upline as it stood, plan as it was, the difference       core::engine
//! ledger            balanced entries, sealed                                 core::journal
//! ```
//!
//! A store's payload is a *snapshot* of an order. The newest snapshot wins; an older one that arrives late is
//! kept as evidence and changes nothing. Refund, cancellation, edit, duplicate and re-delivery all take the same
//! road: another snapshot, another target, post the difference. An order that is held or exempt has the target
//! zero.
//!
//! # What no webhook told
//!
//! ```text
//! clients           a store's own API: whole orders by page, products, customers, webhooks    the only HTTP out
//! pulls             what changed, every few minutes; what is news becomes a delivery          resumable
//! reconcile         each day of each store, order by order, from its API to the ledger        core::reconcile
//! connections       webhooks registered, mended and rotated; silence noticed                  notices
//! ```
//!
//! A webhook is a hint. An order that was *read* is the whole truth of that instant: it goes before what was told of
//! the same second, and refunds that it does not list are none. It takes the same road as any delivery, so a replay of
//! the stored bytes gives the same ledger.
//!
//! # The way of a period
//!
//! ```text
//! commissions       every calculation of an order leaves a volume fact, in one dense order
//! periods           soft close, freeze: a cut-off, the trees as known, the plan of the last instant
//!      | run        gather -> core::period: volumes, ranks, base bonuses, matching, pools, gates and caps
//!      | review     variance, movers, held value; a second person approves
//! ledger            posted once, in one transaction; what changes later is an adjustment of the open period
//! ```
//!
//! The bonuses of a period are small machines that volume climbs through: [`core::period`] sums volume of the same
//! state before it goes on, so a chain costs what a star costs. The same step explains one source alone.
//!
//! # The way to the bank
//!
//! ```text
//! chain             what has committed, in one dense order; heads given out       verify stops payouts
//! settlements       held back and released, converted, written off, adjusted      core::settlement
//! payees            where to, sealed for each person; a change waits for a second one
//! payouts           prepare -> approve -> export -> sent -> confirmed | returned  core::payout
//! rails             one batch, always the same bytes; what banks answer           pure
//! ```
//!
//! Money leaves a balance when a batch is prepared, under a lock of its owner, and an item's id is its reference at the
//! bank: killed anywhere, clicked twice or uploaded again, nobody is paid twice. What is unknown is never sent again.
//!
//! # The rooms
//!
//! | room | what it is for |
//! |---|---|
//! | [`core`] | money, orders, net, SKU mapping, attribution, genealogy, plan, engine, journal |
//! | [`stores`] | everything that knows Shopify, WooCommerce, Magento or the direct API: bytes to [`core::order`] |
//! | [`rails`] | everything that knows a bank: payment files out, answers in; pure |
//! | [`clients`] | the stores' own APIs behind one trait, and the one door to the network |
//! | [`pdf`] | pages of text and amounts as a PDF; pure |
//! | [`notices`] | what a person should know although nobody asked: page, webhook, mail |
//! | [`db`] | pools, the one way to write, migrations, the embedded PostgreSQL |
//! | [`events`] | outbox, doorbells, relays, parked work |
//! | [`ingest`] | deliveries and the stores that send them |
//! | [`connections`] | credentials of the stores' APIs, their webhooks and secrets, silence |
//! | [`catalog`], [`distributors`], [`customers`], [`plans`] | what orders are assessed and calculated with |
//! | [`orders`] | evidence, assessment, holds and their release |
//! | [`pulls`] | reading the stores' APIs: what changed becomes a delivery |
//! | [`commissions`], [`ledger`] | calculations, volume facts, commission events, journal entries |
//! | [`payouts`] | batches of payments: prepared, approved by a second person, exported, answered by the bank |
//! | [`periods`] | what the close of a period pays: runs, review, posting, adjustments, what-if |
//! | [`reconcile`] | each day of each store, from what the store says to what is posted |
//! | [`proof`] | verify, replay, explain |
//! | [`access`] | users, sessions, tokens, audit log |
//! | [`payees`] | where distributors are paid and what the tax office asks for, sealed for each person |
//! | [`settlements`] | holdback, exchange rates, debts, adjustments by hand |
//! | [`backups`] | one file, proven by restoring it |
//! | [`chain`] | one chain through the journal and the audit log, its heads, how it stands |
//! | [`reports`] | read models for pages and API |
//! | [`warehouse`] | the schema `report`, files of closed periods |
//! | [`web`] | webhooks, API, admin pages, health, metrics |
//! | [`app`] | the composition root |
//! | [`cli`], [`demo`], [`scenario`] | the command line, the sample company, money cases as text files |
//!
//! A room's `mod.rs` is what other rooms may call, its `repo` is its SQL, its `consumer` is how it reacts to
//! events. Rooms use only rooms below them; a test walks the sources and keeps it so.
//!
//! # Invariants
//!
//! Every acknowledged delivery has its row. There is one order for each store and external id. Debits equal
//! credits in every entry. `paid + breakage + rounding = pool`, exactly, for every line of an order and every bonus of
//! a period. What is posted refuses UPDATE, DELETE and TRUNCATE in the database itself. A replay of the raw deliveries
//! gives the same digest, a run that is calculated again the same hash.

pub mod access;
pub mod app;
pub mod backups;
pub mod catalog;
pub mod chain;
pub mod cli;
pub mod clients;
pub mod clock;
pub mod commissions;
pub mod connections;
pub mod core;
pub mod customers;
pub mod db;
pub mod demo;
pub mod distributors;
pub mod events;
pub mod ingest;
pub mod ledger;
pub mod notices;
pub mod orders;
pub mod payees;
pub mod payouts;
pub mod pdf;
pub mod periods;
pub mod plans;
pub mod proof;
pub mod pulls;
pub mod rails;
pub mod reconcile;
pub mod reports;
pub mod scenario;
pub mod settings;
pub mod settlements;
pub mod stores;
pub mod telemetry;
pub mod vault;
pub mod warehouse;
pub mod web;
