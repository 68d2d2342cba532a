# cmake -DOUT=file.cpp -DNAMESPACE=nw::x -DNAME=function -DFILES=a;b -P EmbedText.cmake: text files as a C++ table, in order.
set(body "")
foreach(file ${FILES})
  get_filename_component(name ${file} NAME)
  file(READ ${file} text)
  string(APPEND body "    {\"${name}\", R\"nwtext(${text})nwtext\"},\n")
endforeach()
file(WRITE ${OUT} "// Generated.\n#include <array>\n#include <span>\n#include <string_view>\n#include <utility>\n"
  "namespace ${NAMESPACE} {\nstd::span<const std::pair<std::string_view, std::string_view>> ${NAME}();\n"
  "std::span<const std::pair<std::string_view, std::string_view>> ${NAME}()\n{\n"
  "    static constexpr std::pair<std::string_view, std::string_view> files[] = {\n${body}    };\n    return files;\n}\n}\n")
