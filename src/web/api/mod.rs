//! The API of programs: `POST /api/mlm/orders`, the read API under `/api/v1`, and its description.

pub mod orders;

use actix_web::web;

pub fn routes(_config: &mut web::ServiceConfig) {}
