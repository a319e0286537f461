import Tracking

/// How patterns are judged while a configuration or a command line is read: each function answers what is wrong with
/// a pattern and what is expected instead, or nil when the pattern is good.
public struct PatternChecking: Sendable {
    public var root: @Sendable (_ pattern: [UInt8]) -> String?
    public var exclude: @Sendable (_ pattern: [UInt8]) -> String?

    public init(
        root: @escaping @Sendable (_ pattern: [UInt8]) -> String?,
        exclude: @escaping @Sendable (_ pattern: [UInt8]) -> String?
    ) {
        self.root = root
        self.exclude = exclude
    }

    /// The checks of every command.
    public static let standard = PatternChecking(
        root: { pattern in
            do throws(PatternError) { _ = try RootPattern(pattern) } catch { return "\(error.problem)" }
            return nil
        },
        exclude: { pattern in
            do throws(PatternError) { _ = try ExcludePattern(pattern) } catch { return "\(error.problem)" }
            return nil
        })
}
