/// Paths as text that cannot forge a line or drive a terminal: an escaped byte is a backslash and three octal
/// digits, as in `/proc/self/mountinfo`, so that printf(1)'s `%b` undoes it.
enum OctalEscapes {
    /// The changelog's form: control bytes (below 0x20, and 0x7F) and the backslash are escaped, all others stay.
    static func appendLine(_ path: [UInt8], to output: inout [UInt8]) {
        for byte in path {
            if isControl(byte) || byte == backslash { append(byte, to: &output) } else { output.append(byte) }
        }
    }

    /// The form for terminals: escapes what the changelog does, bytes that are not UTF-8, and the scalars that
    /// terminals obey or that reorder and hide text (C1 controls, line separators, directional and other
    /// invisible formatting).
    static func appendForTerminal(_ path: [UInt8], to output: inout [UInt8]) {
        var index = 0
        while index < path.count {
            let first = path[index]
            // The common case, first: one ASCII byte.
            if first < 0x80 {
                if isControl(first) || first == backslash { append(first, to: &output) } else { output.append(first) }
                index += 1
                continue
            }
            let length = UTF8Prefix.length(of: path[index...])
            let bytes = path[index..<index + max(length, 1)]
            if length > 0, let scalar = String(decoding: bytes, as: UTF8.self).unicodeScalars.first, isShown(scalar) {
                output.append(contentsOf: bytes)
            } else {
                for byte in bytes { append(byte, to: &output) }
            }
            index = bytes.endIndex
        }
    }

    /// `appendForTerminal` as a string, for messages.
    static func forTerminal(_ path: [UInt8]) -> String {
        var output: [UInt8] = []
        appendForTerminal(path, to: &output)
        return String(decoding: output, as: UTF8.self)
    }

    private static let backslash = UInt8(ascii: "\\")

    private static func isControl(_ byte: UInt8) -> Bool { byte < 0x20 || byte == 0x7F }

    private static func isShown(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: false
        default: true
        }
    }

    private static func append(_ byte: UInt8, to output: inout [UInt8]) {
        output.append(backslash)
        output.append(UInt8(ascii: "0") + byte >> 6)
        output.append(UInt8(ascii: "0") + byte >> 3 & 7)
        output.append(UInt8(ascii: "0") + byte & 7)
    }
}
