/// Returns a number with its noun for people: `1 path`, `3 paths`.
///
/// - Parameter plural: where it is not the noun and an `s`.
public func counted(_ count: some BinaryInteger, _ noun: String, plural: String? = nil) -> String {
    "\(count) \(count == 1 ? noun : plural ?? noun + "s")"
}
