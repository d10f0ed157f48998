//! The codes of a distributor: shown with their links on the person's page, given and retired there.

use actix_web::HttpResponse;
use actix_web::web::Path;
use serde::Deserialize;
use serde_json::json;

use super::super::desk::Desk;
use super::super::words;
use crate::access::audit;
use crate::core::assess::Hold;
use crate::core::ids::DistributorId;
use crate::distributors::{self, CodeProblem};
use crate::orders;
use crate::web::session::{Denied, Form, Operator};

pub struct Code {
    pub code: String,
    /// The link that carries it.
    pub link: String,
}

#[derive(Deserialize)]
pub struct Said {
    code: String,
}

pub async fn add(
    operator: Operator,
    desk: Desk,
    id: Path<String>,
    form: Form<Said>,
) -> Result<HttpResponse, Denied> {
    let (id, code) = (id.into_inner(), form.0.code.trim().to_owned());
    let (by, now) = (operator.email.clone(), desk.now());
    let (to, said) = (DistributorId::new(id.as_str()), code.clone());
    let done = desk.write(move |tx| {
        match distributors::bind_codes(tx, &[(&said, &to)], &by, now) {
            Ok(()) => {}
            Err(CodeProblem::Db(error)) => return Err(error),
            Err(problem) => return Ok(Err(problem.to_string())),
        }
        audit::record(tx, &by, "distributor.code.add", to.as_str(), json!({"codes": [said]}), now)?;
        Ok(Ok(orders::review_all_of(tx, &[Hold::UnknownDistributor], now)?))
    });
    let told = match done.await? {
        Ok(0) => format!("{code} names {id}."),
        Ok(released) => format!("{code} names {id}; {released} held order(s) are looked at again."),
        Err(problem) => problem,
    };
    Ok(desk.done(&here(&id), &told))
}

pub async fn retire(
    operator: Operator,
    desk: Desk,
    id: Path<String>,
    form: Form<Said>,
) -> Result<HttpResponse, Denied> {
    let (id, code) = (id.into_inner(), form.0.code);
    let (by, now) = (operator.email.clone(), desk.now());
    let said = code.clone();
    let done = desk.write(move |tx| match distributors::retire_code(tx, &said, &by, now) {
        Ok(holder) => {
            audit::record(tx, &by, "distributor.code.retire", holder.as_str(), json!({"code": said}), now)?;
            Ok(Ok(()))
        }
        Err(CodeProblem::Db(error)) => Err(error),
        Err(problem) => Ok(Err(problem.to_string())),
    });
    let told = match done.await? {
        Ok(()) => format!("{code} names nobody from now on. Orders from before keep {id}."),
        Err(problem) => problem,
    };
    Ok(desk.done(&here(&id), &told))
}

fn here(id: &str) -> String {
    format!("/admin/distributors/{}#codes", words::encoded(id))
}
