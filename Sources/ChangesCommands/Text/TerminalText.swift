import LinuxKernel

/// Paths as text for a terminal, which no name can drive.
enum TerminalText {
    /// Escapes, as octal digits, what `OctalEscapes` does, bytes that are not UTF-8, and the scalars that terminals obey
    /// or that reorder and hide text (C1 controls, line separators, directional and other invisible formatting).
    static func append(_ path: [UInt8], to output: inout [UInt8]) {
        var index = 0
        while index < path.count {
            let first = path[index]
            // The common case, first: one ASCII byte.
            if first < 0x80 {
                if OctalEscapes.needsEscape(first) {
                    OctalEscapes.append(first, to: &output)
                } else {
                    output.append(first)
                }
                index += 1
                continue
            }
            let length = UTF8Prefix.length(of: path[index...])
            let bytes = path[index..<index + max(length, 1)]
            if length > 0, let scalar = String(decoding: bytes, as: UTF8.self).unicodeScalars.first, isShown(scalar) {
                output.append(contentsOf: bytes)
            } else {
                for byte in bytes { OctalEscapes.append(byte, to: &output) }
            }
            index = bytes.endIndex
        }
    }

    /// `path` as a string, for messages.
    static func of(_ path: [UInt8]) -> String {
        var output: [UInt8] = []
        append(path, to: &output)
        return String(decoding: output, as: UTF8.self)
    }

    private static func isShown(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: false
        default: true
        }
    }
}
