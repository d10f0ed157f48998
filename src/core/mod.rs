//! The product itself: plain values in, plain values out.
//!
//! Nothing in here does I/O, reads a clock, knows a database or awaits. Every other room loads values,
//! calls one function of this room and writes the result in one database transaction.
//!
//! Read in this order: [`money`], [`order`], [`net`], [`sku`], [`binding`], [`attribution`], [`assess`], [`genealogy`],
//! [`plan`], [`bonus`], [`engine`] (an order), [`period`] (a whole period), [`journal`], [`payee`], [`payout`],
//! [`reconcile`].

pub mod assess;
pub mod attribution;
pub mod binding;
pub mod bonus;
pub mod customer;
pub mod disclosure;
pub mod engine;
pub mod fixed;
pub mod genealogy;
pub mod ids;
pub mod journal;
pub mod money;
pub mod net;
pub mod order;
pub mod payee;
pub mod payout;
pub mod period;
pub mod placement;
pub mod plan;
pub mod product;
pub mod reconcile;
pub mod settlement;
pub mod sheet;
pub mod sku;
pub mod suggest;
pub mod tax;
pub mod volume;
