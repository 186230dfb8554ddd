//! The wire as the pages know it: Rust is the source, `web/src/wire/generated.ts` its print.
//!
//! After a change of the wire: `BANDEAU_WRITE=1 cargo test -p engine the_pages_know_the_wire`, and
//! whatever no longer fits is found by `tsc`. A type used in a row or a message needs
//! `#[cfg_attr(test, derive(ts_rs::TS))]`.

use super::row::{Row, WhyNot};
use super::wire::{ClientMessage, ServerMessage};
use std::any::TypeId;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use ts_rs::{Config, TS, TypeVisitor};

const HEAD: &str =
    "// Printed from engine/src/live by its test `the_pages_know_the_wire`: change it there.\n";

/// Every type a message is made of, by name.
struct Declarations<'a> {
    config: &'a Config,
    seen: BTreeSet<TypeId>,
    by_name: BTreeMap<String, String>,
}

impl TypeVisitor for Declarations<'_> {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        // Numbers, texts and lists have no name of their own.
        if !self.seen.insert(TypeId::of::<T>()) {
            return;
        }
        if T::output_path().is_some() {
            let docs = T::docs().unwrap_or_default();
            let text = format!("{docs}export {}\n", T::decl(self.config));
            self.by_name.insert(T::ident(self.config), text);
        }
        T::visit_dependencies(self);
        T::visit_generics(self);
    }
}

fn printed() -> String {
    let config = Config::new().with_large_int("number");
    let mut all = Declarations { config: &config, seen: BTreeSet::new(), by_name: BTreeMap::new() };
    all.visit::<ClientMessage>();
    all.visit::<ServerMessage>();
    all.visit::<Row>();
    all.visit::<WhyNot>();
    let texts = all.by_name.into_values().collect::<Vec<_>>();
    format!("{HEAD}\n{}", texts.join("\n"))
}

#[test]
fn the_pages_know_the_wire() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../web/src/wire/generated.ts");
    let printed = printed();
    if std::env::var_os("BANDEAU_WRITE").is_some() {
        std::fs::write(&path, &printed).expect("web/src/wire is there");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == printed,
        "web/src/wire/generated.ts is not what the engine says; \
         BANDEAU_WRITE=1 cargo test -p engine the_pages_know_the_wire writes it"
    );
}
