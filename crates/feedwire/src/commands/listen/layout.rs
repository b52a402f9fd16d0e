//! JSON laid out over lines for people, its members in the order in which they came.

/// The JSON `text` with a line for each member and element.
pub(super) fn laid_out(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    let (mut depth, mut is_string, mut is_escaped) = (0_usize, false, false);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if is_string {
            out.push(character);
            is_string = is_escaped || character != '"';
            is_escaped = character == '\\' && !is_escaped;
            continue;
        }
        match character {
            '"' => {
                is_string = true;
                out.push('"');
            }
            '{' | '[' => {
                out.push(character);
                while characters.next_if(|next| next.is_whitespace()).is_some() {}
                if let Some(end) = characters.next_if(|next| matches!(next, '}' | ']')) {
                    out.push(end);
                } else {
                    depth += 1;
                    begin(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                begin(&mut out, depth);
                out.push(character);
            }
            ',' => {
                out.push(',');
                begin(&mut out, depth);
            }
            ':' => out.push_str(": "),
            white if white.is_whitespace() => {}
            other => out.push(other),
        }
    }
    out
}

fn begin(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_strings_stays_and_the_rest_gets_lines() {
        let check = |text: &str, lines: &str| assert_eq!(laid_out(text), lines, "{text}");
        check("7", "7");
        check("{}", "{}");
        check("[ ]", "[]");
        check(
            r#"{"z":"a,{\"\\","a":[1,{"b":null}] , "e": { } }"#,
            "{\n  \"z\": \"a,{\\\"\\\\\",\n  \"a\": [\n    1,\n    {\n      \"b\": null\n    }\n  ],\n  \"e\": {}\n}",
        );
    }
}
