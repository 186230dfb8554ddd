//! The JSON Schema that editors read: current, and of one mind with the reader of plans.

use boon::{Compiler, SchemaIndex, Schemas};
use engine::dialplan::{Dialplan, Problem};
use serde_json::Value;
use std::path::{Path, PathBuf};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn plans(name: &str) -> Vec<(String, String)> {
    let mut plans: Vec<PathBuf> = std::fs::read_dir(folder(name))
        .expect("a folder of plans")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    plans.sort();
    let read = |path: PathBuf| (path.display().to_string(), std::fs::read_to_string(&path).expect("a plan"));
    plans.into_iter().map(read).collect()
}

/// The schema, ready to judge.
struct Judge(Schemas, SchemaIndex);

impl Judge {
    fn new() -> Judge {
        let schema: Value = serde_json::from_str(&Dialplan::schema()).expect("JSON");
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.add_resource("schema.json", schema).expect("a resource");
        let index = compiler.compile("schema.json", &mut schemas).expect("a schema");
        Judge(schemas, index)
    }

    fn says(&self, plan: &str) -> Result<(), String> {
        let plan: Value = toml::from_str(plan).map_err(|error| error.to_string())?;
        self.0.validate(&plan, self.1).map_err(|error| format!("{error:#}"))
    }
}

#[test]
fn the_schema_in_the_tree_is_current() {
    let path = folder("../dialplans/schema.json");
    if std::env::var_os("BANDEAU_BLESS").is_some() {
        std::fs::write(&path, Dialplan::schema()).expect("written");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(kept, Dialplan::schema(), "write it with: bandeau schema > dialplans/schema.json");
}

#[test]
fn every_shipped_plan_is_good_to_an_editor() {
    let judge = Judge::new();
    let shipped = plans("../dialplans");
    assert!(shipped.len() >= 4);
    for (file, text) in shipped {
        judge.says(&text).unwrap_or_else(|why| panic!("{file}: {why}"));
    }
}

/// What the shape of a plan can tell, the editor tells as the reader does; what only the whole plan can
/// tell, it leaves to the reader.
#[test]
fn an_editor_and_the_reader_agree_on_wrong_shapes() {
    let judge = Judge::new();
    let (mut shapes, mut others) = (0, 0);
    for (file, text) in plans("tests/plans") {
        let Err(error) = Dialplan::parse(&file, &text) else { panic!("{file} is accepted") };
        let shape = matches!(
            *error.problem,
            Problem::UnknownKey { .. }
                | Problem::Elsewhere { .. }
                | Problem::CannotRefuse { .. }
                | Problem::WrongType { .. }
                | Problem::NotOneOf { .. }
                | Problem::Duration { .. }
        );
        // Which key belongs to which mode of an offer, and keys of a menu that is no menu, are the
        // reader's; so is whatever only the plan as a whole tells.
        let by_mode = error.to_string().contains("offer`") && !error.to_string().contains("in `offer`");
        if shape && !by_mode {
            shapes += 1;
            assert!(judge.says(&text).is_err(), "{file}: an editor would not see it:\n{error}");
        } else {
            others += 1;
        }
    }
    assert!(shapes >= 25 && others >= 25, "{shapes} shapes, {others} others");
}
