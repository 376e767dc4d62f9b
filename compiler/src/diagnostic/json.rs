//! Findings for programs: one JSON object a line.

use serde_json::{Value, json};

use super::text::origin_notes;
use super::{Diagnostics, Label};
use crate::source::SourceMap;

/// Renders all findings, sorted by place, one JSON object a line:
///
/// ```json
/// {"severity":"error","code":"…","message":"…","labels":[{"file":"…","line":1,"column":1,
///  "end_line":1,"end_column":2,"text":"…"}],"notes":["…"],"help":"…"}
/// ```
///
/// Lines and columns count from 1, columns in bytes; the end is exclusive. The first label is the
/// place of the finding. `help` is null when there is none.
pub fn render_json(diagnostics: &Diagnostics, sources: &SourceMap) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics.sorted() {
        let mut notes = diagnostic.notes.clone();
        if let Some(span) = diagnostic.span() {
            notes.extend(origin_notes(sources, span));
        }
        let labels: Vec<Value> = diagnostic
            .labels
            .iter()
            .filter_map(|label| place(sources, label))
            .collect();
        let object = json!({
            "severity": diagnostic.severity.word(),
            "code": diagnostic.code,
            "message": diagnostic.message,
            "labels": labels,
            "notes": notes,
            "help": diagnostic.help,
        });
        out.push_str(&object.to_string());
        out.push('\n');
    }
    out
}

fn place(sources: &SourceMap, label: &Label) -> Option<Value> {
    let shown = sources.call_site(label.span);
    let start = sources.literal_place(shown)?;
    let end = sources.literal_place(shown.after())?;
    Some(json!({
        "file": sources.file(start.file).name,
        "line": start.line,
        "column": start.column,
        "end_line": end.line,
        "end_column": end.column,
        "text": label.text,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Diagnostic;
    use crate::source::{Span, TextOrigin};

    #[test]
    fn one_object_a_line_with_the_place() {
        let mut sources = SourceMap::default();
        sources.add("a.cfg", *b"x\nfoo\n", TextOrigin::File, None);
        let mut sink = Diagnostics::default();
        sink.push(Diagnostic::warning("some-code", "m").label(Span::new(2, 5), "l"));
        assert_eq!(
            render_json(&sink, &sources),
            concat!(
                r#"{"code":"some-code","help":null,"labels":[{"column":1,"end_column":4,"end_line":2,"#,
                r#""file":"a.cfg","line":2,"text":"l"}],"message":"m","notes":[],"severity":"warning"}"#,
                "\n"
            )
        );
    }
}
