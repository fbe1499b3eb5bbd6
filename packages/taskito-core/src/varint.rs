//! Numbers in as few bytes as they need: seven bits to a byte, the lowest first.

/// Appends a number.
pub(crate) fn put(raw: &mut Vec<u8>, mut number: u64) {
    loop {
        let [low, ..] = number.to_le_bytes();
        number >>= 7;
        if number == 0 {
            return raw.push(low & 0x7f);
        }
        raw.push(low | 0x80);
    }
}

/// The numbers that were appended, up to one that is torn.
pub(crate) fn all(raw: &[u8]) -> impl Iterator<Item = u64> {
    let mut bytes = raw.iter();
    std::iter::from_fn(move || {
        let (mut number, mut shift) = (0_u64, 0);
        loop {
            let byte = *bytes.next()?;
            number |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
            shift += 7;
            if byte < 0x80 {
                return Some(number);
            }
        }
    })
}
