import LinuxKernel

/// The source of the lines, made anew after it failed. For the changelog's thread alone.
final class ReopeningSource {
    private let make: @Sendable () throws -> any ChangelogSource
    /// What a failure is told about.
    private let stateDirectory: [UInt8]
    private var source: (any ChangelogSource)? = nil

    init(stateDirectory: [UInt8], make: @escaping @Sendable () throws -> any ChangelogSource) {
        self.stateDirectory = stateDirectory
        self.make = make
    }

    /// - Throws: `readStore`; the next call makes another source.
    func read<Value>(_ body: (inout any ChangelogSource) throws -> Value) throws(ChangelogFailure) -> Value {
        do {
            var source = try self.source ?? make()
            // Taken out meanwhile: a source that failed is not used again.
            self.source = nil
            let value = try body(&source)
            self.source = source
            return value
        } catch {
            throw ChangelogFailure(.readStore, .store(String(describing: error)), path: stateDirectory)
        }
    }
}
