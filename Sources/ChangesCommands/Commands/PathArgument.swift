import ArgumentParser
import SystemPackage

/// An argument that is a path or a pattern of paths: bytes, whatever the locale.
struct PathArgument: ExpressibleByArgument, Equatable, Sendable {
    let bytes: [UInt8]

    init(argument: String) { bytes = ArgumentBytes.bytes(of: argument) }

    static var defaultCompletionKind: CompletionKind { .file() }

    /// The path from the root, without trailing slashes.
    ///
    /// - Throws: a usage error when it is empty, or relative where the working directory is gone.
    func absolute(option: String) throws -> [UInt8] {
        guard !bytes.isEmpty else { throw ValidationError("\(option) is empty; it takes a path") }
        do throws(Errno) {
            return PathBytes.withoutTrailingSlashes(try PathBytes.absolute(bytes))
        } catch {
            throw ValidationError("\(option) is relative, and the working directory cannot be found out: \(error)")
        }
    }
}
