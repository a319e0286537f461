/// One step from a TOML document's top to a value: the name of a key, or the place of an element.
enum TOMLStep: Hashable, Sendable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
    case key(String)
    /// Of an array, or of the tables under a header such as `[[a]]`; from 0.
    case index(Int)

    init(stringLiteral key: String) { self = .key(key) }
    init(integerLiteral index: Int) { self = .index(index) }
}

/// The way from a TOML document's top to a value.
typealias TOMLPath = [TOMLStep]
