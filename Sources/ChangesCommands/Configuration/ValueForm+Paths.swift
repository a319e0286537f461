import TOMLKit

private let slash = UInt8(ascii: "/")

extension ValueForm<[UInt8]> {
    static var file: ValueForm {
        path("the absolute path of a file") { $0.first == slash && $0.last != slash ? $0 : nil }
    }

    static var directory: ValueForm {
        path("the absolute path of a directory") {
            $0.first == slash ? PathBytes.withoutTrailingSlashes($0) : nil
        }
    }

    /// A directory below `/` whose path can be compared with other paths byte by byte.
    static var plainDirectory: ValueForm {
        path(#"the absolute path of a directory below /, without "." and "..""#) {
            let names = $0.split(separator: slash)
            guard $0.first == slash, !names.isEmpty,
                !names.contains(where: { $0.elementsEqual(".".utf8) || $0.elementsEqual("..".utf8) })
            else { return nil }
            return names.reduce(into: []) { $0 += [slash] + $1 }
        }
    }

    private static func path(_ expectation: String, _ parse: @escaping @Sendable ([UInt8]) -> [UInt8]?) -> ValueForm {
        ValueForm(
            expectation,
            read: { value, _ throws(ValueFlaws) in
                guard let path = value.string.flatMap({ parse(Array($0.utf8)) }) else {
                    throw ValueFlaws(expected: expectation)
                }
                return path
            },
            write: TOMLText.string(bytes:))
    }

    /// - Parameter judge: what is wrong with a pattern; nil: nothing.
    fileprivate static func pattern(_ judge: @escaping @Sendable (PatternChecking, [UInt8]) -> String?) -> ValueForm {
        ValueForm(
            "a pattern in quotes",
            read: { value, checking throws(ValueFlaws) in
                guard let pattern = value.string.map({ Array($0.utf8) }) else {
                    throw ValueFlaws(expected: "a pattern in quotes")
                }
                if let flaw = judge(checking, pattern) { throw ValueFlaws(.flaw(flaw)) }
                return pattern
            },
            write: TOMLText.string(bytes:))
    }
}

extension ValueForm<[[UInt8]]> {
    static var rootPatterns: ValueForm {
        let patterns = #"such as ["/srv/nfs/*-backup"]"#
        return ValueForm<[UInt8]>.pattern { $0.root($1) }
            .list("an array of patterns \(patterns)", expectedNotEmpty: "at least one pattern \(patterns)")
    }

    static var excludePatterns: ValueForm {
        ValueForm<[UInt8]>.pattern { $0.exclude($1) }.list(#"an array of patterns such as [".nfs*"]"#)
    }
}
