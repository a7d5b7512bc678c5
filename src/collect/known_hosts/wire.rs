//! The strings and numbers of RFC 4251 section 5, read from bytes that a stranger sent. Nothing is copied.

/// What is left to read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wire<'a>(pub &'a [u8]);

impl<'a> Wire<'a> {
    pub fn string(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.u32()?).ok()?;
        let (string, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(string)
    }

    pub fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.string()?).ok()
    }

    pub fn bytes<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(bytes)
    }

    pub fn u32(&mut self) -> Option<u32> {
        self.bytes().map(|bytes| u32::from_be_bytes(*bytes))
    }

    pub fn u64(&mut self) -> Option<u64> {
        self.bytes().map(|bytes| u64::from_be_bytes(*bytes))
    }

    /// A positive number in its shortest form, which is the only one that two readers agree on.
    pub fn mpint(&mut self) -> Option<&'a [u8]> {
        let bytes = self.string()?;
        match bytes {
            [] | [0] | [0x80..=0xff, ..] => None,
            [0, second, ..] if *second < 0x80 => None,
            _ => Some(bytes),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Appends a string with its length.
pub(super) fn put(out: &mut Vec<u8>, string: &[u8]) {
    // Strings here were read from a packet, whose length is a u32.
    let length = u32::try_from(string.len()).unwrap_or(u32::MAX);
    out.extend(length.to_be_bytes());
    out.extend(string);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_is_nothing() {
        let whole = b"\0\0\0\x02ab\0\0\0\x01\0\0\0\x02\0\x80";
        let mut wire = Wire(whole);
        assert_eq!(wire.text(), Some("ab"));
        assert_eq!(wire.u32(), Some(1));
        assert_eq!(wire.mpint(), Some(&[0, 0x80][..]));
        assert!(wire.is_empty());
        assert_eq!(wire.u64(), None);
        assert_eq!(Wire(&whole[..5]).string(), None);
        assert_eq!(Wire(b"\xff\xff\xff\xffab").string(), None);
    }

    #[test]
    fn numbers_have_one_form() {
        let mpint = |bytes: &[u8]| {
            let mut out = Vec::new();
            put(&mut out, bytes);
            Wire(&out).mpint().is_some()
        };
        assert!(mpint(&[1, 0, 1]) && mpint(&[0, 0x80]));
        assert!(!mpint(&[]) && !mpint(&[0]) && !mpint(&[0x80]) && !mpint(&[0, 1]));
    }
}
