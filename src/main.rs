//! `bandeau`: one binary for one centre, or a node of many.

fn main() {}
