//! The words that `yaml_documents` writes with.

/// Plain scalars, most of which some parser takes for something else.
#[rustfmt::skip]
pub const PLAIN: &[&str] = &[
    "a", "b", "true", "false", "yes", "no", "on", "off", "y", "n", "Y", "N", "YES", "yEs", "On",
    "oFF", "TRUE", "True", "null", "~", "Null", "NULL", "nULL", "0", "1", "-1", "+1", "42", "0644",
    "0o644", "0O17", "0x1F", "0X1f", "0b101", "-0b11", "0b-1", "0b+1", "-0b-1", "0B1", "08", "089",
    "-012", "+0x1", "1_000", "_1", "1_", "0x_F", "0_7", "190:20:30", "1:2", "12:30:45", "1.5",
    "-1.5", "1.", ".5", "+.5", "-.5", ".5_0", "._5", ".5e_1", ".5_e1", "1e3", "1E3", "1e+3", "1e-3",
    "1e400", "-1e400", "1e-400", "1e20", "1e21", "1e22", "123456789012345678901234567890",
    "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809",
    "18446744073709551615", "18446744073709551616", "+18446744073709551615", "0x8000000000000000",
    "-0x8000000000000000", "0xffffffffffffffff", "0x1p4", "0b", "0x", "0o", "-", "+", ".", "..",
    "-.", "--", "-0", "-0.0", "0.0", "0e0", "1.0", "100.0", "1e2", "3.14159", "0.1", "1e-7",
    "123456.789", "1234567.5", "12345678", "1e6", "0.0001", "0.00001", "1e40", "2001-01-01",
    "2001-12-14T21:59:43.10Z", "2001-13-45", "12-01-01", "=", "<<", "http://x:8080/p?q=1", "a:b",
    "a#b", "a #b", "a,b", "x y", "x  y z", "é", "日本語", "😀", "a\u{a0}b", "nginx:1.25", "Infinity",
    "NaN", "inf", "k8s.io/x", "-a", "?a", ":a", "a?", "%a", "@a", "`a", "a]", "a}", "1,2",
    "10.96.0.0/12", "100Mi", "250m", "0.5", "1024", "007", "00", "0.", "1e", "1e+", "e1", "1__0",
    "1.2.3", "t", "T", "f", "F", "tRUE", "o",
];

/// Numbers that JSON cannot hold.
#[rustfmt::skip]
pub const REFUSED_NUMBERS: &[&str] = &[
    ".inf", "-.inf", "+.Inf", ".nan", ".NaN",
];

/// Tags, known and not.
#[rustfmt::skip]
pub const TAGS: &[&str] = &[
    "!!str", "!!int", "!!float", "!!bool", "!!null", "!!binary", "!!map", "!!seq", "!!merge", "!",
    "!local", "!!custom", "!<tag:yaml.org,2002:str>", "!<tag:yaml.org,2002:int>", "!!set", "!%41b",
    "!<!x>", "!!timestamp",
];

/// Quoted scalars; some are refused.
#[rustfmt::skip]
pub const QUOTED: &[&str] = &[
    "''", "\"\"", "'a'", "'it''s'", "\"a\\nb\"", "\"\\x41\\u00e9\\U0001F600\"",
    "\"\\0\\a\\b\\t\\v\\f\\r\\e\\ \\\"\\\\\\N\\_\\L\\P\"", "\"a\\/b\"", "\"\\ud83d\"", "'1'",
    "\"true\"", "'<<'", "\"<<\"", "'a # b'", "\"a: b\"", "'- a'", "\"\\x\"", "\"tab\\\there\"",
    "'  sp  '", "\"\u{2028}\"", "'null'", "'~'", "\"\\'\"",
];

/// Keys; the first eight are strings and often meet.
#[rustfmt::skip]
pub const KEYS: &[&str] = &[
    "a", "b", "c", "spec", "kind", "name", "image", "hostNetwork", "1", "0x1", "1.5", "1e7",
    "100000", "1234567.5", "0.1", "yes", "true", "'1'", "\"a\"", "'true'", "a b", "a:b", "é", "~",
    "null", "''", "k/~x", "-1", "2001-01-01", "18446744073709551615", "0.0", "-0.0", ".inf",
    "!!str 1", "!!binary YQ==", "!!str", "&k k", "\"a\\tb\"", "=", "-x",
];

/// Line ends, with what may stand before the next line.
#[rustfmt::skip]
pub const BREAKS: &[&str] = &[
    "\n", "\n", "\n", "\n", "\n", "\n", "\n", "\n\n", "\n \n", "\n\t\n", " # c\n", "\n# c\n",
    "\n  # c\n", "\t\n", "  \n", "\r\n", "\r", "\u{85}", "\u{2028}",
];

/// What a mutation puts in.
#[rustfmt::skip]
pub const SPLICES: &[&[u8]] = &[
    b" ", b"\n", b"\t", b":", b": ", b"-", b"- ", b"?", b"? ", b"[", b"]", b"{", b"}", b",", b"#",
    b" #", b"&a ", b"*a", b"!", b"!!str ", b"!!int ", b"|", b">", b"'", b"\"", b"%", b"@", b"`",
    b"<<: ", b"<<: *a\n", b"---\n", b"...\n", b"\r", b"\0", b"\xc2\x85", b"\xe2\x80\xa8",
    b"\xef\xbb\xbf", b"\xff", b"\x80", b"\\", b"~", b"0", b"1", b"_", b".", b"e", b"yes", b"null",
    b"\xc3\xa9", b"\xf0\x9f\x98\x80", b"\x7f", b"\x1b", b"key: value\n", b"  ", b"\n\n",
    b"\xed\xa0\x80",
];

/// What means something in YAML.
#[rustfmt::skip]
pub const SOUP: &[&[u8]] = &[
    b"a", b"b", b"a: ", b": ", b":", b" ", b"  ", b"\n", b"\n ", b"\n  ", b"\n\n", b"- ", b"-",
    b"- - ", b"? ", b"?", b"[", b"]", b"[]", b"{}", b"{", b"}", b",", b"#", b" # c", b"&a ", b"*a",
    b"*a ", b"&b", b"! ", b"!!str ", b"!x ", b"|", b">", b"|-", b"|+\n", b">2\n", b"'", b"''",
    b"\"", b"\"a\"", b"\\", b"\\\n", b"---", b"--- ", b"---\n", b"...", b"...\n", b"\t", b"\r",
    b"\r\n", b"\xc2\x85", b"\xe2\x80\xa8", b"\xef\xbb\xbf", b"<<: ", b"<<", b"1", b"0", b"yes",
    b"~", b"null", b"%YAML 1.1\n", b"%TAG ! !x\n", b"%", b"@", b"x: y", b"x: y\n", b".", b"1.5",
    b"\xc3\xa9", b"{a: b}", b"[a, b]", b"a: b, ", b"? a", b": b", b"\n- ", b"\na: ", b"\n  b: ",
    b"\n? ", b"\n: ", b"\n-", b"\n:", b"\n?", b"\n- - ", b"\n  - ", b"!", b"!<a>", b"\xff", b"\0",
];

/// What means something in JSON, and what nearly does.
#[rustfmt::skip]
pub const JSON: &[&[u8]] = &[
    b"{", b"}", b"[", b"]", b",", b":", b"\"a\"", b"\"a\":", b"\"b\":", b"\"a\":1", b"\"a\":{}",
    b"\"c\":[]", b"\"", b"\\", b"\\u00e9", b"\"\\ud83d\"", b"\"\\ud83d\\ude00\"", b"\\ud83d",
    b"\\/", b"\"\\q\"", b"1", b"-", b"0", b"01", b"1.5", b"1e3", b"1e999", b"-0", b".", b"true",
    b"false", b"null", b"nul", b" ", b"\n", b"\t", b"\r", b"\xc3\xa9", b"\xff", b"\0", b"\x0c",
    b"\xef\xbb\xbf", b"//", b"'a'", b"\"x\xff\"", b"18446744073709551615", b"9223372036854775808",
    b"\"\\u0000\"",
];
