//! The pages, from the binary itself: nothing is read from a disk while serving.
//!
//! A policy allows what is ours and nothing else; files whose name carries a hash are kept for
//! ever by the browser, the others are asked for each time and rarely sent.

use super::http::error_answer;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri, header};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::LazyLock;

/// `web/dist` as it was when this was built: path and bytes.
const FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/pages.rs"));

/// What a browser may load and do on our pages: our own files, our own socket, the microphone.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; \
    connect-src 'self'; media-src 'self' blob:; worker-src 'self'; manifest-src 'self'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";

/// Headset, ringer and headset buttons; nothing else of the machine.
const DEVICES: &str = "microphone=(self), speaker-selection=(self), autoplay=(self), screen-wake-lock=(self), \
    hid=(self), camera=(), geolocation=(), display-capture=(), usb=(), serial=(), midi=(), payment=()";

/// Names of views: each is the same page, which looks at the address.
const VIEWS: &[&str] = &["/agent", "/board"];

const UNBUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>bandeau</title>\
    <h1>No pages in this build</h1><p>This binary was built without <code>web/dist</code>. Run <code>make web</code>, \
    then build again. The live feed, the API and <code>bandeau watch</code> work without them.</p></html>";

struct File {
    bytes: &'static [u8],
    kind: &'static str,
    cache: &'static str,
    etag: String,
}

static PAGES: LazyLock<HashMap<&'static str, File>> = LazyLock::new(|| table(FILES));

fn table(files: &[(&'static str, &'static [u8])]) -> HashMap<&'static str, File> {
    let mut table: HashMap<_, _> = files.iter().map(|(path, bytes)| (*path, file(path, bytes))).collect();
    table.entry("/index.html").or_insert_with(|| file("/index.html", UNBUILT.as_bytes()));
    table
}

fn file(path: &str, bytes: &'static [u8]) -> File {
    let hash = Sha256::digest(bytes);
    let etag =
        hash.iter().take(12).fold(String::from("\""), |text, byte| text + &format!("{byte:02x}")) + "\"";
    // Vite puts a hash of the content into every name under `assets/`.
    let is_hashed = path.starts_with("/assets/");
    let cache = if is_hashed { "public, max-age=31536000, immutable" } else { "no-cache" };
    File { bytes, kind: kind(path), cache, etag }
}

fn kind(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("webp") => "image/webp",
        Some("woff2") => "font/woff2",
        Some("wav") => "audio/wav",
        Some("mp3") => "audio/mpeg",
        Some("ogg") => "audio/ogg",
        Some("json") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("wasm") => "application/wasm",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// Everything no other route answers.
pub(super) async fn page(method: Method, uri: Uri, headers: HeaderMap) -> Response<Body> {
    let Some(file) = find(&PAGES, uri.path()) else {
        return error_answer(StatusCode::NOT_FOUND, "not_found", "there is nothing at this address");
    };
    if method != Method::GET && method != Method::HEAD {
        return error_answer(StatusCode::METHOD_NOT_ALLOWED, "method", "pages are only read");
    }
    let held = headers.get(header::IF_NONE_MATCH).and_then(|held| held.to_str().ok());
    let is_held = held.is_some_and(|held| held.split(',').any(|one| one.trim() == file.etag));
    let mut response = Response::new(if is_held { Body::empty() } else { Body::from(file.bytes) });
    if is_held {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let fixed = [
        (header::CONTENT_TYPE, file.kind),
        (header::CACHE_CONTROL, file.cache),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::HeaderName::from_static("permissions-policy"), DEVICES),
        (header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    for (name, value) in fixed {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    if let Ok(etag) = HeaderValue::from_str(&file.etag) {
        response.headers_mut().insert(header::ETAG, etag); // hexadecimal in quotes: always a header
    }
    response
}

/// `/` and a view's name are the page, `/x` is `/x.html`, else a file is itself.
fn find<'a>(pages: &'a HashMap<&'static str, File>, path: &str) -> Option<&'a File> {
    let as_page = || pages.get(format!("{path}.html").as_str());
    let as_view = || VIEWS.contains(&path).then(|| pages.get("/index.html")).flatten();
    match path {
        "/" => pages.get("/index.html"),
        _ => pages.get(path).or_else(as_page).or_else(as_view),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_file_a_page_or_a_view_and_nothing_else() {
        let built: &[(&'static str, &'static [u8])] =
            &[("/index.html", b"page"), ("/about.html", b"about"), ("/assets/app-1a2b.js", b"code")];
        let pages = table(built);
        for (path, expected) in [
            ("/", Some("page")),
            ("/index.html", Some("page")),
            ("/board", Some("page")),
            ("/about", Some("about")),
            ("/assets/app-1a2b.js", Some("code")),
            ("/assets", None),
            ("/nothing", None),
            ("/../Cargo.toml", None),
            ("/assets/../index.html", None),
        ] {
            let found = find(&pages, path).map(|file| file.bytes);
            assert_eq!(found, expected.map(str::as_bytes), "{path}");
        }
    }

    #[test]
    fn only_a_name_with_a_hash_is_kept_for_ever() {
        let pages = table(&[("/index.html", b"page"), ("/assets/app-1a2b.js", b"code")]);
        assert_eq!(pages["/index.html"].cache, "no-cache");
        assert!(pages["/assets/app-1a2b.js"].cache.contains("immutable"));
        assert_ne!(pages["/index.html"].etag, pages["/assets/app-1a2b.js"].etag);
    }

    #[test]
    fn a_build_without_pages_says_how_to_make_them() {
        let pages = table(&[]);
        let page = find(&pages, "/").expect("a page all the same");
        assert!(String::from_utf8_lossy(page.bytes).contains("make web"));
    }
}
