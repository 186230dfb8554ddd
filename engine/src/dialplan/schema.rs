//! The grammar as a JSON Schema (2020-12), for editors: names, shapes and a word on each key. What only
//! the whole plan can tell, a name that does not exist or a route that never wins, is the check's.

use super::Dialplan;
use super::grammar::{Grammar, MENU_KEY, PLAN, Shape};
use serde_json::{Map, Value, json};

impl Dialplan {
    /// The JSON Schema of plans, as text.
    pub fn schema() -> String {
        let mut tables = Map::new();
        let mut plan = object(&PLAN, &mut tables);
        plan["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
        plan["title"] = json!("bandeau dialplan");
        plan["$defs"] = Value::Object(tables);
        let mut text = serde_json::to_string_pretty(&plan).unwrap_or_default(); // plain data: cannot fail
        text.push('\n');
        text
    }
}

/// A table's schema; the tables inside it are defined once under their names.
fn object(grammar: &'static Grammar, tables: &mut Map<String, Value>) -> Value {
    let mut properties = Map::new();
    for key in grammar.keys {
        let mut value = shape(&key.is, tables);
        value["description"] = json!(key.about);
        if key.name == "menu" && grammar.name == "route_then" {
            value["propertyNames"] = json!({ "pattern": MENU_KEY });
        }
        properties.insert(key.name.to_owned(), value);
    }
    let needed: Vec<&str> = grammar.keys.iter().filter(|key| key.needed).map(|key| key.name).collect();
    json!({
        "type": "object",
        "properties": properties,
        "required": needed,
        "additionalProperties": false,
    })
}

fn shape(is: &'static Shape, tables: &mut Map<String, Value>) -> Value {
    let some =
        |one: Value| json!({ "oneOf": [one.clone(), { "type": "array", "items": one, "minItems": 1 }] });
    match is {
        Shape::Text => json!({ "type": "string" }),
        Shape::OneOf(texts) => json!({ "enum": texts }),
        Shape::Like(pattern) => json!({ "type": "string", "pattern": pattern }),
        Shape::Texts => some(json!({ "type": "string" })),
        Shape::SomeOf(texts) => some(json!({ "enum": texts })),
        Shape::List => json!({ "type": "array", "items": { "type": "string" } }),
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Whole(i64::MIN, i64::MAX) => json!({ "type": "integer" }),
        Shape::Whole(least, i64::MAX) => json!({ "type": "integer", "minimum": least }),
        Shape::Whole(least, most) => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Shape::Number(least, most) => json!({ "type": "number", "minimum": least, "maximum": most }),
        Shape::Duration => json!({ "type": "string", "pattern": "^[0-9]+[smh]$" }),
        Shape::Table(grammar) => named(grammar, tables),
        Shape::Tables(grammar) => json!({ "type": "array", "items": named(grammar, tables) }),
        Shape::Named(value) => json!({ "type": "object", "additionalProperties": shape(value, tables) }),
        Shape::Either(shapes) => {
            let shapes: Vec<Value> = shapes.iter().map(|one| shape(one, tables)).collect();
            json!({ "oneOf": shapes })
        }
    }
}

fn named(grammar: &'static Grammar, tables: &mut Map<String, Value>) -> Value {
    if !tables.contains_key(grammar.name) {
        let table = object(grammar, tables);
        tables.insert(grammar.name.to_owned(), table);
    }
    json!({ "$ref": format!("#/$defs/{}", grammar.name) })
}
