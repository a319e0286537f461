import Glibc
import LinuxKernel
import SystemPackage
import TOMLKit

/// The configuration file: TOML 1.0, UTF-8.
public enum ConfigurationFile {
    /// The file that is read when no other is named; it need not exist.
    public static let standardPath = Array("/etc/nfs-changes/config.toml".utf8)

    /// Reads and checks a file.
    ///
    /// - Parameters:
    ///   - path: the file; relative to the working directory unless absolute.
    ///   - base: what holds where the file says nothing.
    /// - Returns: nil when there is no such file.
    /// - Throws: everything that is wrong with the file.
    public static func load(
        _ path: [UInt8], base: Configuration, checking: PatternChecking = .standard
    ) throws(ConfigurationError) -> Configuration? {
        let file = TerminalText.of(path)
        let text: [UInt8]
        do throws(Errno) {
            // A shell's `<(…)` is a pipe below /dev. Into any other FIFO nobody may ever write, and opening it would wait.
            let isPipe = path.starts(with: Array("/dev/".utf8)) || path.starts(with: Array("/proc/".utf8))
            let opened = try OwnedDescriptor.open(path, flags: isPipe ? O_RDONLY : O_RDONLY | O_NONBLOCK)
            let isFIFO = try FileStatus.of(descriptor: opened.number).type == .fifo
            if isFIFO && !isPipe { throw Errno.notSupported }
            text = try opened.readToEnd()
        } catch .noSuchFileOrDirectory {
            return nil
        } catch {
            throw ConfigurationError([
                ConfigurationProblem(
                    file: file, found: "a file that cannot be read (\(error))", expected: "a readable TOML file")
            ])
        }
        return try parse(text: text, file: file, base: base, checking: checking)
    }

    /// Checks the text of a configuration file.
    ///
    /// - Parameters:
    ///   - text: the bytes of the file.
    ///   - file: its name, for errors.
    ///   - base: what holds where the text says nothing.
    /// - Throws: everything that is wrong with the text. A text that is not TOML has one problem, the first.
    public static func parse(
        text: [UInt8], file: String, base: Configuration = .defaults, checking: PatternChecking = .standard
    ) throws(ConfigurationError) -> Configuration {
        let table = try parseTOML(text, file: file)
        let map = TOMLLineMap(text)
        guard map.nulLines.isEmpty else {
            throw ConfigurationError(
                map.nulLines.map {
                    ConfigurationProblem(
                        file: file, line: $0, found: "an escaped NUL", expected: "strings without NUL")
                })
        }
        var configuration = base
        var reader = ConfigurationReader(file: file, map: map, checking: checking)
        reader.readDocument(table, into: &configuration)
        reader.checkSizes(of: configuration.store)
        reader.checkDestinations(of: configuration)
        guard reader.problems.isEmpty else { throw ConfigurationError(reader.problems) }
        return configuration
    }

    private static func parseTOML(_ text: [UInt8], file: String) throws(ConfigurationError) -> TOMLTable {
        // TOMLKit hands the text on as a C string: a NUL would silently hide the rest of the file.
        if let offset = UTF8Prefix.invalidOffset(in: text) ?? text.firstIndex(of: 0) {
            let line = 1 + text[..<offset].count { $0 == UInt8(ascii: "\n") }
            let found = text[offset] == 0 ? "a NUL byte" : "a byte that is not UTF-8"
            throw ConfigurationError([
                ConfigurationProblem(file: file, line: line, found: found, expected: "TOML, which is UTF-8 text")
            ])
        }
        do {
            return try TOMLTable(string: String(decoding: text, as: UTF8.self))
        } catch let error as TOMLParseError {
            throw ConfigurationError([
                ConfigurationProblem(
                    file: file, line: error.source.begin.line,
                    found: "a syntax error (column \(error.source.begin.column): \(error.description))",
                    expected: "TOML")
            ])
        } catch {
            throw ConfigurationError([
                ConfigurationProblem(file: file, found: "a syntax error (\(error))", expected: "TOML")
            ])
        }
    }
}
