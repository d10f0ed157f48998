//! The files of `templates/static`, inside the binary in release builds and read from disk in debug ones.
//!
//! A page asks for [`url`], which carries the content's hash, so browsers may keep the file for a year.
//! A name without a hash is served too (the style sheet's own font), but is asked for again.

use actix_web::http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use actix_web::{HttpRequest, HttpResponse, web};
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "templates/static"]
struct Files;

/// `/assets/app.3f2a9c81d04e.css` for `app.css`; the plain name for a file that does not exist.
pub fn url(name: &str) -> String {
    match (Files::get(name), name.rsplit_once('.')) {
        (Some(file), Some((stem, extension))) => {
            format!("/assets/{stem}.{}.{extension}", tag(&file.metadata.sha256_hash()))
        }
        _ => format!("/assets/{name}"),
    }
}

pub fn configure(config: &mut web::ServiceConfig) {
    config.route("/assets/{name}", web::get().to(serve));
}

async fn serve(request: HttpRequest, name: web::Path<String>) -> HttpResponse {
    let Some((plain, asked)) = split(&name) else { return HttpResponse::NotFound().finish() };
    let Some(file) = Files::get(&plain) else { return HttpResponse::NotFound().finish() };
    let tag = tag(&file.metadata.sha256_hash());
    let etag = format!("\"{tag}\"");
    // An old page may ask for an old hash: it gets today's file, but must not keep it under that name.
    let keep =
        if asked.as_deref() == Some(&tag) { "public, max-age=31536000, immutable" } else { "no-cache" };
    if request.headers().get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes()) {
        return HttpResponse::NotModified().insert_header((CACHE_CONTROL, keep)).finish();
    }
    HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, keep))
        .insert_header((ETAG, etag))
        .content_type(file.metadata.mimetype())
        .body(file.data.into_owned())
}

/// The file's own name and the hash that was asked for.
fn split(name: &str) -> Option<(String, Option<String>)> {
    let (stem, extension) = name.rsplit_once('.')?;
    match stem.rsplit_once('.') {
        Some((base, hash)) if hash.len() == 12 && hash.bytes().all(|b| b.is_ascii_hexdigit()) => {
            Some((format!("{base}.{extension}"), Some(hash.to_owned())))
        }
        _ => Some((name.to_owned(), None)),
    }
}

fn tag(hash: &[u8; 32]) -> String {
    hex::encode(hash).chars().take(12).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::{App, test};

    #[actix_web::test]
    async fn hashed_names_are_kept_and_stale_ones_are_not() {
        let app = test::init_service(App::new().configure(configure)).await;
        let fresh = url("app.css");
        assert_eq!(split(fresh.trim_start_matches("/assets/")).unwrap().0, "app.css");
        for (path, keep) in [
            (fresh.as_str(), "public, max-age=31536000, immutable"),
            ("/assets/app.000000000000.css", "no-cache"),
            ("/assets/htmx.min.js", "no-cache"),
        ] {
            let response = test::call_service(&app, test::TestRequest::get().uri(path).to_request()).await;
            assert_eq!(response.status(), 200, "{path}");
            assert_eq!(response.headers().get(CACHE_CONTROL).unwrap(), keep, "{path}");
        }
        let response =
            test::call_service(&app, test::TestRequest::get().uri("/assets/none.css").to_request()).await;
        assert_eq!(response.status(), 404);
    }
}
