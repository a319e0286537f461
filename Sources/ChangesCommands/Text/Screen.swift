import ArgumentParser
import LinuxKernel

/// The words of `--color`.
enum ColorChoice: String, ExpressibleByArgument, CaseIterable {
    case auto, always, never
}

/// What output can be decorated with.
struct Screen: Equatable, Sendable {
    /// Whether it is for a person at a terminal.
    var isTerminal = false
    var hasColor = false
    /// Whether characters beyond ASCII are shown.
    var hasUnicode = false
    var columns = 80

    /// A file or a pipe: plain text, always the same.
    static let plain = Screen()

    /// Standard output.
    ///
    /// Colour goes to terminals that know it, unless `NO_COLOR` is set to anything (no-color.org).
    static func standardOutput(_ color: ColorChoice = .auto) -> Screen {
        var screen = Screen(isTerminal: Terminal.isTerminal(1))
        func variable(_ name: String) -> String {
            String(decoding: ProcessContext.environmentVariable(name) ?? [], as: UTF8.self)
        }
        switch color {
        case .always: screen.hasColor = true
        case .never: screen.hasColor = false
        case .auto:
            screen.hasColor =
                screen.isTerminal && variable("NO_COLOR").isEmpty && !["", "dumb"].contains(variable("TERM"))
        }
        guard screen.isTerminal else { return screen }
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].map(variable).first { !$0.isEmpty } ?? ""
        screen.hasUnicode = ["utf-8", "utf8"].contains { locale.lowercased().hasSuffix($0) }
        screen.columns = Terminal.columns(1) ?? 80
        return screen
    }
}

/// Colours by what they say; SGR parameters of ECMA-48 that follow the terminal's own palette.
enum Style: String {
    case good = "32"
    case caution = "33"
    case bad = "31"
    case place = "36"
    case faint = "2"
    case strong = "1"

    func begin(on screen: Screen, to output: inout [UInt8]) {
        if screen.hasColor { output.append(contentsOf: "\u{1B}[\(rawValue)m".utf8) }
    }

    static func end(on screen: Screen, to output: inout [UInt8]) {
        if screen.hasColor { output.append(contentsOf: "\u{1B}[0m".utf8) }
    }

    /// `text` in this style.
    func of(_ text: String, on screen: Screen) -> String {
        screen.hasColor ? "\u{1B}[\(rawValue)m\(text)\u{1B}[0m" : text
    }
}
